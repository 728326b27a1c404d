package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-milter"
	msgauth "github.com/emersion/go-msgauth/dkim"

	"assay/config"
	"assay/filter/mtatest"
)

// startSite runs the filter of mailboxSite. The given networks are exempt.
func startSite(t *testing.T, exempt string) *testFilter {
	t.Helper()
	c := parseArticle(t, strings.Replace(mailboxSite, "exempt.networks = []", "[exempt]\nnetworks = ["+exempt+"]", 1))
	return startFilter(t, "tcp", c.settings(t, asWritten, c.zone(t, asWritten).Serve(t)))
}

// forgedMail brings results of ours and of another along.
const forgedMail = "Authentication-Results: mx.example.org; dmarc=pass header.from=forged\r\nAuthentication-Results: other.example; dmarc=pass\r\n" +
	"From: a@example.com\r\nTo: b@rcpt.test\r\nSubject: x\r\nDate: Tue, 24 Nov 2026 06:18:34 +0000\r\nMessage-Id: <1@example.com>\r\n\r\nHello\r\n"

// submit sends forgedMail; before are the commands ahead of EHLO.
func submit(t *testing.T, m *mtatest.MTA, before ...string) {
	t.Helper()
	client := mtatest.Dial(t, m)
	for _, line := range before {
		if code, text := client.Cmd(line); code/100 != 2 {
			t.Fatalf("%s: %d %s", line, code, text)
		}
	}
	for _, line := range []string{"EHLO out.example.com", "MAIL FROM:<a@example.com>", "RCPT TO:<b@rcpt.test>"} {
		wantReply(t, client, line, 250)
	}
	if code, text := client.Data([]byte(forgedMail)); code != 250 {
		t.Fatalf("DATA: %d %s", code, text)
	}
	client.Quit()
}

// results are the values of the Authentication-Results fields of a message, from the top, folded to one line.
func results(message []byte) (values []string) {
	for _, f := range parseDelivered(message).header {
		if f.Name == "Authentication-Results" {
			values = append(values, unfolded(f.Value))
		}
	}
	return values
}

// wantIDs wants the fields to be under these authserv-ids, and none of them to be the forged one.
func wantIDs(t *testing.T, who string, values []string, want ...string) {
	t.Helper()
	var ids []string
	for _, value := range values {
		id, _, _ := strings.Cut(value, ";")
		ids = append(ids, id)
	}
	if !slices.Equal(ids, want) || strings.Contains(strings.Join(values, "\n"), "forged") {
		t.Errorf("%s: got results %q, want those of %q, none forged", who, values, want)
	}
}

// at puts ports of this test in the place of the documented ones.
func at(text string, ports ...string) string {
	for i := 0; i < len(ports); i += 2 {
		text = strings.ReplaceAll(text, ports[i], ports[i+1])
	}
	return text
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// recorder is another milter: it remembers the results that it is shown, and states some of its own.
type recorder struct {
	milter.NoOpMilter
	adds   string
	values []string
	seen   chan<- []string
}

func (r *recorder) Header(name, value string, _ *milter.Modifier) (milter.Response, error) {
	if name == "Authentication-Results" {
		r.values = append(r.values, unfolded(value))
	}
	return milter.RespContinue, nil
}

func (r *recorder) Body(m *milter.Modifier) (milter.Response, error) {
	r.seen <- r.values
	return milter.RespAccept, m.InsertHeader(0, "Authentication-Results", r.adds)
}

// startRecorder returns where it listens, and what it has seen of each message.
func startRecorder(t *testing.T, adds string) (port string, seen chan []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen = make(chan []string, 10)
	server := &milter.Server{
		NewMilter: func() milter.Milter { return &recorder{adds: adds, seen: seen} },
		Actions:   milter.OptAddHeader | milter.OptChangeHeader,
	}
	go func() { _ = server.Serve(l) }() // until it is closed
	t.Cleanup(func() { server.Close() })
	return portOf(l.Addr().String()), seen
}

// TestMilterOrder puts one milter before assay and one behind, as docs/postfix.md and docs/sendmail.md write it.
func TestMilterOrder(t *testing.T) {
	test := func(name string, start func(t *testing.T, sink *mtatest.Sink, first, assay, last string) *mtatest.MTA) {
		t.Run(name, func(t *testing.T) {
			f, sink := startSite(t, ""), mtatest.StartSink(t)
			first, seenFirst := startRecorder(t, "mx.example.org; x=pass header.from=forged")
			last, seenLast := startRecorder(t, "last.example; x=pass")
			submit(t, start(t, sink, first, portOf(f.addr), last))
			if got := strings.Join(<-seenFirst, "\n"); !strings.Contains(got, "forged") {
				t.Errorf("before assay: got %q, want the forged results", got)
			}
			wantIDs(t, "behind assay", <-seenLast, "mx.example.org", "other.example")
			wantIDs(t, "delivered", results(sink.Wait(t, 1)[0].Data), "last.example", "mx.example.org", "other.example")
		})
	}
	test("Postfix", func(t *testing.T, sink *mtatest.Sink, first, assay, last string) *mtatest.MTA {
		line := at(snippet(t, "postfix.md", "main.cf", "default_action=accept"),
			"inet:127.0.0.1:8891", "inet:127.0.0.1:"+first+", inet:127.0.0.1:"+assay, ":8892", ":"+last)
		return mtatest.StartPostfix(t, sink, "", line)
	})
	test("Sendmail", func(t *testing.T, sink *mtatest.Sink, first, assay, last string) *mtatest.MTA {
		lines := at(snippet(t, "sendmail.md", "sendmail.mc", "confINPUT_MAIL_FILTERS"),
			":8891", ":"+assay, ":8892", ":"+last, "`assay, opendkim'", "`first, assay, opendkim'")
		return mtatest.StartSendmail(t, sink, "", "MAIL_FILTER(`first', `S=inet:"+first+"@127.0.0.1, F=T')dnl", lines)
	})
}

// TestSubmissionFilters: a second daemon or service has filters of its own, and assay is not among them.
func TestSubmissionFilters(t *testing.T) {
	test := func(name string, start func(t *testing.T, sink *mtatest.Sink, port, assay, signer string)) {
		t.Run(name, func(t *testing.T) {
			f, sink, port := startSite(t, ""), mtatest.StartSink(t), mtatest.FreePort(t)
			signer, seen := startRecorder(t, "signer.example; x=pass")
			start(t, sink, port, portOf(f.addr), signer)
			submit(t, &mtatest.MTA{Name: name, Addr: "127.0.0.1:" + port})
			<-seen
			if got := results(sink.Wait(t, 1)[0].Data); len(got) != 3 || !strings.Contains(got[1], "forged") || f.log.String() != "" {
				t.Errorf("got %q, want nothing of assay's, which says\n%s", got, f.log)
			}
		})
	}
	test("Postfix", func(t *testing.T, sink *mtatest.Sink, port, assay, signer string) {
		lines := at(snippet(t, "postfix.md", "master.cf", "submission"), "submission inet", "127.0.0.1:"+port+" inet", " y ", " n ", ":8892", ":"+signer)
		mtatest.StartPostfixServices(t, sink, "inet:127.0.0.1:"+assay, lines)
	})
	test("Sendmail", func(t *testing.T, sink *mtatest.Sink, port, assay, signer string) {
		lines := at(snippet(t, "sendmail.md", "sendmail.mc", "Name=MSA"), "FEATURE(`no_default_msa')dnl\n", "",
			"DAEMON_OPTIONS(`Name=MTA, Port=25')dnl\n", "", "Port=587, M=Ea", "Addr=127.0.0.1, Port="+port+", M=E", // nobody logs in here
			":8891", ":"+assay, ":8892", ":"+signer)
		mtatest.StartSendmail(t, sink, "", lines)
	})
}

// TestOpenDKIM sends mail of a user who has logged in through assay and then OpenDKIM, and verifies what it has signed.
func TestOpenDKIM(t *testing.T) {
	f, sink, port := startSite(t, ""), mtatest.StartSink(t), mtatest.FreePort(t)
	key, err := os.ReadFile(filepath.Join(keysFolder, "rsa.pem"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(mtatest.Folder(t), "key")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	// The author of forgedMail is at example.com. To sign results nobody should do; here it shows which ones OpenDKIM was shown.
	mtatest.StartOpenDKIM(t, port, at(snippet(t, "beside.md", "opendkim.conf", "Mode s"), ":8892@", ":"+port+"@",
		"/etc/opendkim/mail.private", file, "example.org", "example.com")+
		"AuthservID mx.example.org\nSignHeaders *,+authentication-results\n")
	m := mtatest.StartPostfix(t, sink, "", at(snippet(t, "migration.md", "main.cf", "default_action"), ":8891", ":"+portOf(f.addr), ":8892", ":"+port))

	submit(t, m, "EHLO before.test", "XCLIENT ADDR=192.0.2.9 NAME=laptop.example.com LOGIN=tom")
	got := sink.Wait(t, 1)[0].Data
	wantIDs(t, "delivered", results(got), "mx.example.org", "other.example")
	if first := results(got)[0]; first != "mx.example.org; none" {
		t.Errorf("our field is %q, want an empty result", first)
	}
	record, err := publicKey("rsa")
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(string) ([]string, error) {
		return []string{"v=DKIM1; " + strings.ReplaceAll(record, `" "`, "")}, nil
	}
	checks, err := msgauth.VerifyWithOptions(bytes.NewReader(got), &msgauth.VerifyOptions{LookupTXT: lookup})
	if err != nil || len(checks) != 1 || checks[0].Err != nil {
		t.Fatalf("signature: %+v, %v\n%s", checks, err, got)
	}
	signed := strings.Count(strings.ToLower(strings.Join(checks[0].HeaderKeys, " ")), "authentication-results")
	if signed != 2 {
		t.Errorf("OpenDKIM has signed %d results fields of %q, want ours and the other's", signed, checks[0].HeaderKeys)
	}

	// A stranger's mail is not signed, and our results stay though OpenDKIM has the same authserv-id.
	submit(t, m, "EHLO before.test", "XCLIENT ADDR=192.0.2.9 NAME=dsl.example.net")
	got = sink.Wait(t, 1)[0].Data
	wantIDs(t, "from outside", results(got), "mx.example.org", "other.example")
	if bytes.Contains(got, []byte("DKIM-Signature")) {
		t.Error("mail from outside is signed")
	}
}

// TestProxyProtocol lets a proxy say who the client is.
func TestProxyProtocol(t *testing.T) {
	f, sink := startSite(t, ""), mtatest.StartSink(t)
	m := mtatest.StartPostfix(t, sink, "inet:"+f.addr, snippet(t, "beside.md", "main.cf", "haproxy"))
	conn, err := net.Dial("tcp", m.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// Nobody waits for a reply before DATA has one: pipelining.
	fmt.Fprint(conn, "PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\nEHLO out.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@rcpt.test>\r\nDATA\r\n")
	fmt.Fprint(conn, forgedMail+".\r\nQUIT\r\n")
	got := results(sink.Wait(t, 1)[0].Data)
	wantIDs(t, "delivered", got, "mx.example.org", "other.example")
	if !strings.Contains(got[0], "spf=pass") || !strings.Contains(got[0], "policy.iprev=192.0.2.7") {
		t.Errorf("got %q, want the results of 192.0.2.7", got[0])
	}
}

// TestContentFilter: behind a filter that hands mail back to Postfix our results stay, if assay is not asked again; if it
// is, they are replaced by nothing. A filter before the queue makes assay blind.
func TestContentFilter(t *testing.T) {
	test := func(name string, want []string, start func(t *testing.T, f *testFilter, sink *mtatest.Sink) *mtatest.MTA) {
		t.Run(name, func(t *testing.T) {
			f, sink := startSite(t, `"127.0.0.0/8"`), mtatest.StartSink(t)
			submit(t, start(t, f, sink), "EHLO before.test", "XCLIENT ADDR=192.0.2.7 NAME=out.example.com")
			got := results(sink.Wait(t, 1)[0].Data)
			if len(got) == 0 || !strings.HasPrefix(got[0], want[0]) || len(got) != len(want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	after := func(t *testing.T, f *testFilter, sink *mtatest.Sink, change ...string) *mtatest.MTA {
		// This filter passes everything straight on to the port where mail comes back.
		port := mtatest.FreePort(t)
		main := at(snippet(t, "beside.md", "main.cf", "content_filter"), ":8891", ":"+portOf(f.addr), ":10024", ":"+port)
		return mtatest.StartPostfixServices(t, sink, "", at(snippet(t, "beside.md", "master.cf", "content_filter"), append(change, ":10025", ":"+port)...), main)
	}
	test("after the queue", []string{"mx.example.org; spf=pass", "other.example"}, func(t *testing.T, f *testFilter, sink *mtatest.Sink) *mtatest.MTA {
		return after(t, f, sink)
	})
	test("asked twice", []string{"mx.example.org; none", "other.example"}, func(t *testing.T, f *testFilter, sink *mtatest.Sink) *mtatest.MTA {
		return after(t, f, sink, "  -o smtpd_milters=\n", "")
	})
	test("before the queue", []string{"mx.example.org; dmarc=pass header.from=forged", "other.example"}, func(t *testing.T, f *testFilter, sink *mtatest.Sink) *mtatest.MTA {
		return mtatest.StartPostfix(t, sink, "inet:"+f.addr, "smtpd_proxy_filter = "+sink.Addr)
	})
}

// TestChrootSocket: a relative path is found by an smtpd in the chroot of the queue directory, and by one outside.
func TestChrootSocket(t *testing.T) {
	f, sink, port := startSite(t, ""), mtatest.StartSink(t), mtatest.FreePort(t)
	queue := filepath.Join(mtatest.Folder(t), "queue")
	if err := os.MkdirAll(filepath.Join(queue, "assay"), 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(queue, "assay", "milter.sock")
	l, err := listenOn(config.Address{Network: "unix", Addr: socket}, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = f.Serve(l) }() // until startFilter shuts it down
	m := mtatest.StartPostfixServices(t, sink, "", "127.0.0.1:"+port+" inet n - y - - smtpd",
		"queue_directory = "+queue, snippet(t, "postfix.md", "main.cf", "unix:assay/milter.sock"))
	for _, addr := range []string{m.Addr, "127.0.0.1:" + port} {
		submit(t, &mtatest.MTA{Name: m.Name, Addr: addr})
		wantIDs(t, addr, results(sink.Wait(t, 1)[0].Data), "mx.example.org", "other.example")
	}
}
