package authres

// resinfo reads from the ";" that comes next to the one after it or to the end.
// known is false for a version of the method that is not ours.
func (s *scanner) resinfo() (r Result, known bool, err error) {
	s.pos++ // the ";"
	if known, err = s.methodspec(&r); err != nil {
		return r, false, err
	}
	spaced, err := s.cfws()
	if err != nil {
		return r, false, err
	}
	r.Comment = s.comment
	reason := false
	for !s.done() && !s.at(';') {
		// Only between properties CFWS may be missing: a quoted-string ends
		// by itself.
		if !spaced {
			return r, false, s.fail("no white space")
		}
		word, err := s.around(s.keyword)
		if err != nil {
			return r, false, err
		}
		if word == "reason" && s.at('=') && !reason && len(r.Props) == 0 {
			reason = true
			spaced, err = s.reasonspec(&r)
		} else {
			err = s.propspec(word, &r)
		}
		if err != nil {
			return r, false, err
		}
	}
	return r, known, nil
}

// around reads a thing and the CFWS on both sides of it.
func (s *scanner) around(read func() (string, error)) (string, error) {
	if _, err := s.cfws(); err != nil {
		return "", err
	}
	text, err := read()
	if err != nil {
		return "", err
	}
	_, err = s.cfws()
	return text, err
}

// methodspec reads method [ "/" version ] "=" result.
func (s *scanner) methodspec(r *Result) (known bool, err error) {
	if r.Method, err = s.around(s.keyword); err != nil {
		return false, err
	}
	known = true
	if s.at('/') {
		s.pos++
		version, err := s.around(s.digits)
		if err != nil {
			return false, err
		}
		known = one(version)
	}
	if err = s.expect('='); err != nil {
		return false, err
	}
	if _, err = s.cfws(); err != nil {
		return false, err
	}
	r.Value, err = s.keyword()
	return known, err
}

func (s *scanner) digits() (string, error) {
	digits := s.run(isDigit)
	if digits == "" {
		return "", s.fail("no digit")
	}
	return digits, nil
}

// reasonspec reads from the "=" after "reason" that comes next, and reports
// whether CFWS ended it.
func (s *scanner) reasonspec(r *Result) (spaced bool, err error) {
	s.pos++ // the "="
	if _, err = s.cfws(); err != nil {
		return false, err
	}
	if r.Reason, err = s.value(); err != nil {
		return false, err
	}
	return s.cfws()
}

// propspec reads what follows the ptype.
func (s *scanner) propspec(ptype string, r *Result) error {
	if err := s.expect('.'); err != nil {
		return err
	}
	name, err := s.around(s.keyword)
	if err != nil {
		return err
	}
	if err := s.expect('='); err != nil {
		return err
	}
	value, err := s.around(s.pvalue)
	if err != nil {
		return err
	}
	r.Props = append(r.Props, Prop{Type: ptype, Name: name, Value: value})
	return nil
}

// pvalue reads a value, or [ [ local-part ] "@" ] domain-name. What it returns
// for an address is in SMTP form, its local-part quoted where it must be.
func (s *scanner) pvalue() (string, error) {
	var local, written string
	var err error
	start, isQuoted := s.pos, s.at('"')
	if isQuoted {
		if local, err = s.quoted(); err != nil {
			return "", err
		}
		written = quoteLocal(local)
	} else {
		local = s.run(func(c byte) bool { return isToken(c) || isAtom(c) })
		written = local
	}
	end := *s
	if _, err := s.cfws(); err != nil {
		return "", err
	}
	if !s.at('@') {
		*s = end
		if isQuoted || all(local, isToken) {
			return local, nil
		}
		s.pos = start
		return "", s.fail("no value")
	}
	if !isQuoted && s.pos > start && !dotAtom(local) {
		s.pos = start
		return "", s.fail("no local-part")
	}
	s.pos++
	name := s.run(func(c byte) bool { return isLabel(c) || c == '.' })
	if !domainName(name) {
		return "", s.fail("no domain name after the @")
	}
	return written + "@" + name, nil
}
