package verify

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/iprev"
	"assay/verify/lookup"
	"assay/verify/message"
	"assay/verify/network"
	"assay/verify/spf"
)

// Forwarder is a relay that is trusted to pass mail on for some recipients. SPF
// fails there, and that is to be expected.
type Forwarder struct {
	Name       string // for log and operator
	Networks   network.Set
	Names      domain.Set // its reverse name, verified by iprev
	Recipients domain.Set // domains of recipients; all of a message must be in it
	// ReceivedFrom takes the client for SPF from the Received field that the
	// forwarder wrote.
	ReceivedFrom bool
}

// Forwarded is what a listed forwarder had to do with a message.
type Forwarded struct {
	Name string // of the Forwarder; "" where the client is none
	// Intact is set where no DKIM signature failed: the message is as it was
	// when it was signed, if it was.
	Intact bool
	// Client is who gave the message to the forwarder. Where it is valid,
	// Findings.SPF is about it, and Direct about the forwarder itself.
	Client netip.Addr
	Direct spf.Check
	Err    error // why ReceivedFrom was asked for and is not used; or ErrClientName
}

// Unsure reports whether the client may be a forwarder, which an outage hides.
func (f Forwarded) Unsure() bool { return errors.Is(f.Err, ErrClientName) }

// ErrClientName is why it is not known whether the client is a forwarder.
var ErrClientName = errors.New("the client may be a forwarder, but its name could not be looked up")

// Why the word of a forwarder about its client is not taken.
var (
	ErrReceived = errors.New("the topmost Received field is not one that the forwarder wrote")
	ErrAltered  = errors.New("a DKIM signature failed")
)

// origin is what is found about the client of a forwarder.
type origin struct {
	Forwarded
	check spf.Check
}

// forward looks for the forwarder that the client is, once its name is known.
func (r *Run) forward(h message.Header) *background[origin] {
	listed := serving(r.verifier.Forwarders, r.envelope.Recipients)
	if len(listed) == 0 {
		return nil
	}
	// The MTA's thread goes on to change what these point to.
	helo, sender := r.helo, r.envelope.Sender
	// It waits, so that there is nothing to try.
	return start(nil, func(lookup.Resolver) origin {
		rev := r.iprev.wait()
		at := slices.IndexFunc(listed, func(f Forwarder) bool { return f.is(r.addr, rev) })
		if at < 0 {
			return unlisted(listed, rev)
		}
		o, name := listed[at].origin(h, ours(helo, rev))
		if o.Client.IsValid() {
			v := spf.Verifier{Resolver: r.shares.of(shareSPF), ReadAhead: r.verifier.SPFReadAhead}
			o.check = v.MailFrom(r.ctx, o.Client, name, sender)
		}
		return o
	})
}

// unlisted is what is found about a client that is none of the forwarders, as far
// as one can tell.
func unlisted(forwarders []Forwarder, rev iprev.Evaluation) (o origin) {
	if slices.ContainsFunc(forwarders, func(f Forwarder) bool { return f.hidden(rev) }) {
		o.Err = ErrClientName
	}
	return o
}

// hidden reports whether an outage hides the name by which f would be known.
func (f Forwarder) hidden(rev iprev.Evaluation) bool {
	return rev.Result == iprev.TempError && !f.Names.Empty()
}

// ours are the names that the client may give itself in a Received field.
func ours(helo string, rev iprev.Evaluation) []domain.Name {
	var names []domain.Name
	if name, err := domain.Parse(helo); err == nil {
		names = append(names, name)
	}
	if rev.Result == iprev.Pass {
		names = append(names, rev.Name)
	}
	return names
}

// Recognize fills in f.Forwarded where the rest of f is known already, such as from
// the fields that were written when the message came in. It returns the forwarder, nil
// where the client is none. Its Received field is not read: whom f.SPF is about
// stays as it is.
func Recognize(forwarders []Forwarder, recipients []string, f *Findings) *Forwarder {
	listed := serving(forwarders, recipients)
	at := slices.IndexFunc(listed, func(one Forwarder) bool { return one.is(f.Client, f.IPRev) })
	if at < 0 {
		f.Forwarded = unlisted(listed, f.IPRev).Forwarded
		return nil
	}
	f.Forwarded = Forwarded{Name: listed[at].Name, Intact: intact(f.DKIM)}
	return &listed[at]
}

// serving returns those of the forwarders that serve all recipients.
func serving(forwarders []Forwarder, recipients []string) []Forwarder {
	return slices.DeleteFunc(slices.Clone(forwarders), func(f Forwarder) bool { return !f.serves(recipients) })
}

// intact reports whether no signature failed.
func intact(signatures []dkim.Signature) bool {
	return !slices.ContainsFunc(signatures, func(s dkim.Signature) bool { return s.Result == dkim.Fail })
}

// serves reports whether all recipients are those of the forwarder.
func (f Forwarder) serves(recipients []string) bool {
	for _, r := range recipients {
		host, err := domain.Parse(r[strings.LastIndexByte(r, '@')+1:])
		if err != nil || !f.Recipients.Has(host) {
			return false
		}
	}
	return len(recipients) > 0
}

func (f Forwarder) is(addr netip.Addr, rev iprev.Evaluation) bool {
	return f.Networks.Has(addr) || rev.Result == iprev.Pass && f.Names.Has(rev.Name)
}

// origin reads who gave the message to the forwarder, where that is asked for,
// and by what name.
func (f Forwarder) origin(h message.Header, names []domain.Name) (o origin, helo string) {
	o.Name = f.Name
	if !f.ReceivedFrom {
		return o, ""
	}
	fields := h.All("Received")
	if len(fields) == 0 {
		o.Err = ErrReceived
		return o, ""
	}
	hop, ok := readReceived(fields[0].Unfolded())
	// One that the forwarder took from within says nothing about who sent it.
	if !ok || !slices.Contains(names, hop.by) || f.Networks.Has(hop.addr) || !hop.addr.IsGlobalUnicast() || hop.addr.IsPrivate() {
		o.Err = ErrReceived
		return o, ""
	}
	o.Client = hop.addr
	return o, hop.helo
}

// join puts what was found about the client of a forwarder into the findings.
func (o origin) join(f *Findings) {
	f.Forwarded = o.Forwarded
	if o.Name == "" {
		return
	}
	f.Forwarded.Intact = intact(f.DKIM)
	switch {
	case !o.Client.IsValid():
	case !f.Forwarded.Intact:
		f.Forwarded.Client, f.Forwarded.Err = netip.Addr{}, ErrAltered
	default:
		f.Forwarded.Direct, f.SPF = f.SPF, o.check
	}
}
