package dkim_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"runtime"
	"slices"
	"testing"
	"time"

	"assay/verify/dkim"
)

// BenchmarkBars asks: does verification stay near what it cannot do without?
// Work and floor are measured in turns, on one core, so that what else the
// machine does meets both; the median of the ratios is reported and judged.
func BenchmarkBars(b *testing.B) {
	kinds := []struct {
		name  string
		text  []byte
		speed float64 // at least this part of the speed of SHA-256
	}{
		{"text", text(5 << 20), 0.6}, {"base64", encoded(5 << 20), 0.4}, {"quoted-printable", quoted(5 << 20), 0.4},
	}
	for _, kind := range kinds {
		hash := func() { sha256.Sum256(kind.text) }
		for _, canon := range []dkim.Canon{dkim.Simple, dkim.Relaxed} {
			b.Run("body/"+kind.name+"/"+string(canon), func(b *testing.B) {
				speed := 1 / ratio(b, func() { stream(canon, kind.text) }, hash)
				b.ReportMetric(speed, "of-SHA-256")
				if speed < kind.speed {
					b.Errorf("%.2f of the speed of SHA-256, want %.2f", speed, kind.speed)
				}
			})
		}
	}
	s := newSigner(b, 2048)
	v := dkim.Verifier{Resolver: s.zone, Now: time.Now}
	for _, bar := range []struct {
		name  string
		count int
		most  float64 // times the floor
	}{{"20KiB-1sig", 1, 1.3}, {"20KiB-3sig", 3, 1.15}} {
		header, body := split(s.sign(b, append([]byte(benchHeader), text(20<<10)...), bar.count, dkim.Relaxed))
		floor := s.floor(b, body, bar.count)
		b.Run("message/"+bar.name, func(b *testing.B) {
			times := ratio(b, func() { verify(v, header, body) }, floor)
			b.ReportMetric(times, "of-floor")
			if times > bar.most {
				b.Errorf("%.2f times the floor, want %.2f at most", times, bar.most)
			}
		})
	}
}

// ratio returns the median of work's time divided by floor's.
func ratio(b *testing.B, work, floor func()) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const least, slice = 51, 2 * time.Millisecond
	spent := func(f func()) time.Duration {
		began, n := time.Now(), 0
		for n == 0 || time.Since(began) < slice {
			f()
			n++
		}
		return time.Since(began) / time.Duration(n)
	}
	var ratios []float64
	turn := func() { ratios = append(ratios, float64(spent(work))/float64(spent(floor))) }
	for b.Loop() {
		turn()
	}
	for len(ratios) < least {
		turn()
	}
	b.ReportMetric(0, "ns/op") // the time of a turn says nothing
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// stream hashes a body in the chunks of an MTA.
func stream(canon dkim.Canon, body []byte) {
	var bodies dkim.Bodies
	bodies.Want(canon, -1)
	for len(body) > 0 {
		n := min(len(body), chunkSize)
		bodies.Write(body[:n])
		body = body[n:]
	}
	bodies.Close()
}

// floor returns what no verifier can do without: SHA-256 of the body once and
// crypto/rsa for each signature.
func (s *signer) floor(tb testing.TB, body []byte, count int) func() {
	tb.Helper()
	digest := sha256.Sum256(body)
	sig, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	if err != nil {
		tb.Fatal(err)
	}
	return func() {
		digest := sha256.Sum256(body)
		for range count {
			if rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, digest[:], sig) != nil {
				tb.Fatal("floor")
			}
		}
	}
}
