package authres

// Result is one resinfo of RFC 8601 §2.2: what a method found.
type Result struct {
	Method  string
	Value   string // the result keyword: pass, fail, none, …
	Reason  string // reason=; "" for none
	Comment string // written in parentheses after the result; "" for none
	Props   []Prop // in the order they are written
}

// Prop is one "ptype.property=value" of a result. A Prop with an empty Value
// is not written.
type Prop struct {
	Type  string // smtp, header, body, policy
	Name  string
	Value string
}

// Field is one Authentication-Results field. A field without results says
// "none".
type Field struct {
	AuthservID string
	Results    []Result
}
