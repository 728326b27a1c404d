package dkim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/verify/dkim"
	"assay/verify/domain"
	"assay/verify/message"
)

// The oracle is DKIM done slowly: whole texts, one octet at a time, in the
// order in which RFC 6376 tells it. It shares no code with the package.

// oracleBody is RFC 6376 §3.4.3 and §3.4.4.
func oracleBody(canon dkim.Canon, body []byte) []byte {
	lines := bytes.Split(body, []byte("\r\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last] // what follows the last CRLF is no line
	}
	if canon == dkim.Relaxed {
		for i, line := range lines {
			lines[i] = bytes.TrimRight(oracleBlanks(line), " ")
		}
	}
	for len(lines) > 0 && len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 && canon == dkim.Simple {
		return []byte("\r\n")
	}
	var out []byte
	for _, line := range lines {
		out = append(append(out, line...), '\r', '\n')
	}
	return out
}

// oracleBlanks reduces each run of blanks to one space.
func oracleBlanks(line []byte) []byte {
	var out []byte
	for _, c := range line {
		if c == '\t' {
			c = ' '
		}
		if c == ' ' && len(out) > 0 && out[len(out)-1] == ' ' {
			continue
		}
		out = append(out, c)
	}
	return out
}

// oracleField is RFC 6376 §3.4.1 and §3.4.2.
func oracleField(canon dkim.Canon, f message.Field) string {
	if canon == dkim.Simple {
		return f.Name + ":" + f.Value + "\r\n"
	}
	name := []byte(strings.TrimRight(f.Name, " \t"))
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[i] = c - 'A' + 'a'
		}
	}
	unfolded := regexp.MustCompile(`\r\n([ \t]|$)`).ReplaceAllString(f.Value, "$1")
	value := bytes.Trim(oracleBlanks([]byte(unfolded)), " ")
	return string(name) + ":" + string(value) + "\r\n"
}

// oracleSelect is RFC 6376 §5.4.2.
func oracleSelect(canon dkim.Canon, header message.Header, names []string) string {
	out := ""
	used := map[int]bool{}
	for _, name := range names {
		for i := len(header) - 1; i >= 0; i-- {
			if !used[i] && strings.EqualFold(strings.TrimRight(header[i].Name, " \t"), strings.TrimSpace(name)) {
				used[i] = true
				out += oracleField(canon, header[i])
				break
			}
		}
	}
	return out
}

// tagOf returns a tag of a well-formed signature.
func tagOf(value, name string) (string, bool) {
	for _, tag := range strings.Split(value, ";") {
		if n, v, _ := strings.Cut(tag, "="); strings.TrimSpace(n) == name {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// Where seal puts what it computes.
const (
	bodyHash      = "BODYHASH"
	signatureHere = "SIGNATURE"
)

// seal returns header with a signature on top whose value is template, with the
// body hash and the signature in place of bodyHash and signatureHere. What
// template says is signed as it is, however wrong.
func seal(tb testing.TB, key crypto.Signer, header message.Header, body []byte, template string) message.Header {
	tb.Helper()
	headerCanon, bodyCanon := dkim.Simple, dkim.Simple
	if c, ok := tagOf(template, "c"); ok {
		h, b, _ := strings.Cut(c, "/")
		if h == "relaxed" {
			headerCanon = dkim.Relaxed
		}
		if b == "relaxed" {
			bodyCanon = dkim.Relaxed
		}
	}
	hashed := oracleBody(bodyCanon, body)
	if l, ok := tagOf(template, "l"); ok {
		if n, err := strconv.Atoi(l); err == nil && n >= 0 && n <= len(hashed) {
			hashed = hashed[:n]
		}
	}
	sum := sha256.Sum256(hashed)
	template = strings.Replace(template, bodyHash, base64.StdEncoding.EncodeToString(sum[:]), 1)
	names, _ := tagOf(template, "h")
	data := oracleSelect(headerCanon, header, strings.Split(names, ":"))
	emptied := regexp.MustCompile(`b=\s*`+signatureHere+`\s*`).ReplaceAllString(template, "b=")
	data += strings.TrimSuffix(oracleField(headerCanon, message.Field{Name: "DKIM-Signature", Value: emptied}), "\r\n")
	digest := sha256.Sum256([]byte(data))
	var sig []byte
	var err error
	switch key := key.(type) {
	case *rsa.PrivateKey:
		sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	case ed25519.PrivateKey:
		sig = ed25519.Sign(key, digest[:])
	}
	if err != nil {
		tb.Fatal(err)
	}
	value := strings.Replace(template, signatureHere, base64.StdEncoding.EncodeToString(sig), 1)
	return append(message.Header{{Name: "DKIM-Signature", Value: value}}, header...)
}

// clock is the time at which the tests take place.
func clock() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// verifyChunked is verify with chunks of another size.
func verifyChunked(v dkim.Verifier, header message.Header, body []byte, size int) []dkim.Signature {
	var bodies dkim.Bodies
	run := v.Begin(context.Background(), header, domain.Name{}, &bodies)
	for len(body) > 0 {
		n := min(len(body), size)
		bodies.Write(body[:n])
		body = body[n:]
	}
	bodies.Close()
	return run.Finish()
}

func bigInt(n int) *big.Int { return big.NewInt(int64(n)) }
