package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"

	"assay/verify/domain"
)

const day = 24 * time.Hour

// parseDuration reads "3s", "500ms", "1h30m" or "1d12h". The unit is required:
// a bare number has been seconds in one daemon and minutes in the next.
func parseDuration(text string) (time.Duration, error) {
	if d, ok := readDuration(text); ok {
		return d, nil
	}
	if text != "" && strings.Trim(text, "0123456789.") == "" {
		bad := faultf("%s has no unit", quoted(text))
		if _, ok := readDuration(text + "s"); ok {
			return 0, bad.hinted(`write "%ss"`, text)
		}
		return 0, bad
	}
	bad := faultf("%s is not a duration", quoted(text))
	if meant, ok := guessDuration(text); ok {
		return 0, bad.hinted(`write "%s"`, formatDuration(meant))
	}
	return 0, bad.hinted(`write a number and one of ms, s, m, h, d, such as "3s"`)
}

// otherUnits is what units are called elsewhere, and ours where they take a
// fraction or a capital letter.
var otherUnits = map[string]time.Duration{
	"msec": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day, "w": 7 * day, "week": 7 * day, "weeks": 7 * day,
}

// guessDuration reads what was most likely meant: "20 seconds", "1 h 30 m" or
// "1.5d".
func guessDuration(text string) (d time.Duration, ok bool) {
	tight := strings.ReplaceAll(text, " ", "")
	if d, ok := readDuration(tight); ok {
		return d, true
	}
	number := tight[:len(tight)-len(strings.TrimLeft(tight, "0123456789."))]
	unit, ok := otherUnits[strings.ToLower(tight[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || n*float64(unit) > float64(1<<16*day) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

func readDuration(text string) (d time.Duration, ok bool) {
	if text == "0" || strings.ContainsAny(text, "+-") {
		return 0, false
	}
	if days, rest, found := strings.Cut(text, "d"); found {
		// 16 bits of days cannot overflow a Duration.
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, false
		}
		d, text = time.Duration(n)*day, rest
		if text == "" {
			return d, true
		}
	}
	rest, err := time.ParseDuration(text)
	if err != nil || d+rest < 0 {
		return 0, false
	}
	return d + rest, true
}

// formatDuration is the shortest text that parseDuration reads as d.
func formatDuration(d time.Duration) string {
	text := ""
	if days := d / day; days > 0 {
		text = strconv.FormatInt(int64(days), 10) + "d"
	}
	d %= day
	if d == 0 && text != "" {
		return text
	}
	rest := d.String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	return text + rest
}

// timeLayouts are the dates of TOML, once its blank or small letters have
// been made those of RFC 3339.
var timeLayouts = []string{
	time.DateOnly,
	"2006-01-02T15:04",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	time.RFC3339,
}

// firstYear is the earliest year of a date: one before it is a slip, and year
// 1 would be the zero Time.
const firstYear = 2000

// parseTime reads a TOML date, or date and time. It is in UTC unless it says
// otherwise, and is returned in UTC.
func parseTime(text string) (time.Time, error) {
	canonical := strings.ToUpper(strings.Replace(text, " ", "T", 1))
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, canonical)
		if err != nil {
			continue
		}
		if t = t.UTC(); t.Year() < firstYear || t.Year() > 9999 {
			return time.Time{}, faultf("the year of %s is not from %d to 9999", clipped(text, maxQuoted), firstYear)
		}
		return t, nil
	}
	return time.Time{}, faultf("%s is not a date", clipped(text, maxQuoted)).hinted("write a date such as 2027-03-01")
}

func formatTime(t time.Time) string {
	if t.Equal(t.Truncate(day)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339Nano)
}

func parsePrefix(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.Prefix{}, faultf("%s has no prefix length", quoted(text)).hinted(`write "%s/%d"`, ip, ip.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, faultf("%s is not a network", quoted(text)).hinted(`write it as "192.0.2.0/24" or "2001:db8::/32"`)
	}
	// A client is compared by its IPv4 address, so this would match nobody.
	if p.Addr().Is4In6() {
		return netip.Prefix{}, faultf("%s is an IPv4 network written as IPv6", quoted(text)).hinted(`write it as "192.0.2.0/24"`)
	}
	if p != p.Masked() {
		return netip.Prefix{}, faultf("%s has bits set beyond its length", quoted(text)).hinted(`write "%s"`, p.Masked())
	}
	return p, nil
}

func parseDomain(text string) (domain.Name, error) {
	name, err := domain.Parse(text)
	if err == nil {
		return name, nil
	}
	bad := faultf("%s is not a domain name: %v", quoted(text), err)
	if _, after, found := strings.Cut(text, "@"); found {
		if name, err := domain.Parse(after); err == nil {
			return domain.Name{}, bad.hinted(`write "%s"`, name)
		}
	}
	return domain.Name{}, bad
}

// MaxText is the longest free text of a setting, in bytes; it goes into one
// header field and one log line.
const MaxText = 500

func parseText(text string) (string, error) {
	if len(text) > MaxText {
		return "", faultf("longer than %d bytes", MaxText)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", faultf("%s has a line break or another control character", quoted(text))
	}
	return strings.TrimSpace(text), nil
}

// parseWord reads one of a few words; which, the oneof tag says.
func parseWord[T ~string](text string) (T, error) { return T(text), nil }
