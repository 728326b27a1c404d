package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"assay/config"
	"assay/filter"
)

// sendmailFilter is one X line of sendmail.cf.
type sendmailFilter struct {
	name   string
	equals map[string]string // S, F and T
	times  map[string]string // what T says, by letter
}

// maxSendmailCF is how much of sendmail.cf is read, in octets: ten times what is
// usual.
const maxSendmailCF = 1 << 20

// readSendmail returns the filters that sendmail.cf knows, and the names of those
// that it uses, for all mail or on one port.
func readSendmail(path string) (filters []sendmailFilter, used []string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maxSendmailCF))
	lines.Buffer(nil, maxSendmailCF)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "X"):
			filters = append(filters, parseFilter(line[1:]))
		case strings.HasPrefix(line, "O "):
			used = append(used, filtersUsed(line[2:])...)
		}
	}
	return filters, used, lines.Err()
}

// parseFilter reads "assay, S=inet:8891@127.0.0.1, F=T, T=C:10s;E:60s".
func parseFilter(line string) sendmailFilter {
	name, rest, _ := strings.Cut(line, ",")
	f := sendmailFilter{name: strings.TrimSpace(name), equals: map[string]string{}, times: map[string]string{}}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		f.equals[key] = strings.TrimSpace(value)
	}
	for part := range strings.SplitSeq(f.equals["T"], ";") {
		letter, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		f.times[letter] = value
	}
	return f
}

// filtersUsed reads "InputMailFilters=a,b", and the same among DaemonPortOptions,
// where a semicolon separates them.
func filtersUsed(option string) []string {
	name, value, _ := strings.Cut(option, "=")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "inputmailfilters":
		return splitList(value)
	case "daemonportoptions":
		for part := range strings.SplitSeq(value, ",") {
			key, names, _ := strings.Cut(strings.TrimSpace(part), "=")
			if strings.HasPrefix(strings.ToLower(key), "i") {
				return strings.Split(names, ";")
			}
		}
	}
	return nil
}

// checkSendmail compares what Sendmail is told with what we do.
func (d *doctor) checkSendmail(ctx context.Context) []finding {
	path := d.flags.sendmailCF
	if path == "" {
		return list(found(skipped, "not looked at"))
	}
	filters, used, err := readSendmail(path)
	if err != nil && !d.flags.sendmailGiven {
		return list(found(skipped, "not set up on this host: %v", err))
	}
	if err != nil {
		return list(found(failing, "%v", err).next("name the file: --sendmail-cf FILE"))
	}
	i := slices.IndexFunc(filters, func(f sendmailFilter) bool { return d.isOurs(ctx, f) })
	if i < 0 {
		a := d.config.Listen.Milter[0]
		return list(found(failing, "%s has no filter with S=%s: its mail is not examined", path, a.Sendmail()).
			next("add to sendmail.mc: INPUT_MAIL_FILTER(`assay', `S=%s, F=T, T=C:10s;S:30s;R:30s;E:60s')dnl", a.Sendmail()))
	}
	return d.judgeSendmail(filters[i], used)
}

// isOurs reports whether a filter is where we listen.
func (d *doctor) isOurs(ctx context.Context, f sendmailFilter) bool {
	a, err := config.ParseAddress(f.equals["S"])
	return err == nil && d.listensOn(ctx, a)
}

// Time-outs of Sendmail where T= does not say them.
const (
	sendmailReply = "10s"
	sendmailEnd   = "5m"
)

func (d *doctor) judgeSendmail(f sendmailFilter, used []string) []finding {
	var findings []finding
	wants := func(hint, format string, args ...any) {
		findings = append(findings, found(failing, "filter %s: %s", f.name, fmt.Sprintf(format, args...)).
			next("%s in sendmail.mc, rebuild sendmail.cf and restart Sendmail", hint))
	}
	if !slices.Contains(used, f.name) {
		wants("write INPUT_MAIL_FILTER", "it is not among InputMailFilters: no mail goes there")
	}
	switch f.equals["F"] {
	case "T", "4":
	case "R":
		wants("write F=T", "F=R: while assay is away mail is refused for good")
	default:
		wants("write F=T", "no F=T: while assay is away mail comes in unexamined, forged results and all")
	}
	times := func(letter, standard string, limit time.Duration, why string) {
		text, ok := f.times[letter]
		if !ok {
			text = standard
		}
		if t, ok := parseMTATime(text); !ok || t <= limit {
			wants(fmt.Sprintf("write T=%s:%.0fs", letter, max(3*limit, 30*time.Second).Seconds()), "T=%s:%s: %s", letter, text, why)
		}
	}
	times("E", sendmailEnd, d.config.DNS.MessageBudget, fmt.Sprintf("the end of a message may take dns.message_budget, which is %v", d.config.DNS.MessageBudget))
	if d.config.SPF.Early {
		times("R", sendmailReply, filter.MaxMailWait, fmt.Sprintf("with policy.spf.early the answer to MAIL may take %v", filter.MaxMailWait))
	}
	if findings == nil {
		return list(found(good, "filter %s: mail goes to %s; F=%s, T=%s", f.name, f.equals["S"], f.equals["F"], f.equals["T"]))
	}
	return findings
}
