package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"assay/dnscache/dnstest"
	"assay/filter/mtatest"
)

// installation is "assay serve" and what its doctor needs to know.
type installation struct {
	program string
	config  string
	serve   *process
}

// install starts the program with that address.
func install(t *testing.T, folder, milter string) installation {
	t.Helper()
	zone := dnstest.MustParse(t, `microsoft.com. TXT "`+strings.Repeat("x", 250)+`" "`+strings.Repeat("y", 250)+`" "thirteen more"`)
	i := installation{program: buildAssay(t), config: filepath.Join(folder, "assay.toml")}
	text := fmt.Sprintf("authserv_id = %q\nlisten.milter = %q\ndns.servers = [%q]\n", testID, milter, zone.Serve(t))
	if err := os.WriteFile(i.config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	i.serve = startProcess(t, i.program, "serve", "-c", i.config)
	i.serve.err.wait(t, "msg=listening", 1)
	return i
}

// says wants the lines of one check, in the words of the pattern, and the exit
// status.
func (i installation) says(t *testing.T, wantStatus int, pattern string, flags ...string) {
	t.Helper()
	cmd := exec.Command(i.program, append([]string{"doctor", "-c", i.config}, flags...)...)
	said, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != wantStatus || !regexp.MustCompile(`(?m)^`+pattern+`$`).Match(said) {
		t.Errorf("exit status %d, want %d, and want in it %s\n%s", got, wantStatus, pattern, said)
	}
}

// TestDoctorContrib: a Postfix that has what we tell operators to write is right.
func TestDoctorContrib(t *testing.T) {
	d := startDaemon(t)
	_, port, _ := strings.Cut(d.mta.Addr, ":")
	i := installation{program: d.cmd.Path, config: d.file, serve: d.process}
	i.says(t, exitYes, `postfix  ok   127\.0\.0\.1:`+port+`/inet: mail goes to unix:\S+/milter.sock; default action tempfail, timeouts 30s, 30s and 300s`,
		"--postfix-config", d.mta.Config, "--sendmail-cf", "")
}

// TestDoctorPostfix: what is found right about a real Postfix is right: mail that
// goes through it comes to assay, by a path relative to the queue directory and with
// the macros that are asked for, whatever main.cf says of them and of the version.
func TestDoctorPostfix(t *testing.T) {
	sink := mtatest.StartSink(t)
	mta := mtatest.StartPostfix(t, sink, "", "smtpd_milters = { unix:milter.sock, default_action=tempfail }", "milter_default_action = accept",
		"milter_protocol = 2", "milter_mail_macros =", "milter_rcpt_macros =", "milter_data_macros =", "milter_end_of_header_macros =", "milter_end_of_data_macros =")
	i := install(t, mtatest.Folder(t), "unix:"+filepath.Join(filepath.Dir(mta.Config), "queue", "milter.sock"))
	_, port, _ := strings.Cut(mta.Addr, ":")
	service := regexp.QuoteMeta("127.0.0.1:" + port + "/inet")
	flags := []string{"--postfix-config", mta.Config, "--sendmail-cf", ""}

	i.says(t, exitYes, `postfix  warn `+service+`: milter_protocol = 2: assay does not see the blanks before header values, and some DKIM signatures fail`, flags...)
	i.says(t, exitYes, `macros   ok   Postfix [0-9.]+ sends what assay asks for, i, \{auth_authen\} and \{tls_version\}; milter_\*_macros do not matter`, flags...)
	i.says(t, exitYes, `results  ok   forged fields are removed, one field of mx.example.net stands on top; took [0-9.]+[mµ]?s`, flags...)
	(&daemon{process: i.serve, mta: mta, sink: sink}).finish(t, (&daemon{mta: mta}).begin(t, "a@example.com"), "250 ")
	i.serve.err.wait(t, "msg=message", 4)
	for line := range strings.Lines(i.serve.err.String()) {
		if strings.Contains(line, "msg=message") && !regexp.MustCompile(` qid=[0-9A-Za-z-]+ `).MatchString(line) {
			t.Errorf("no queue id: %s", line)
		}
	}

	i.serve.signal(t, syscall.SIGTERM)
	i.serve.status(t)
	i.says(t, exitLater, `milter   fail nobody listens on unix:.*/queue/milter.sock`, flags...)
}

// TestDoctorSendmail: the line that we tell operators to write is found right as m4
// writes it, and the doctor says so.
func TestDoctorSendmail(t *testing.T) {
	folder := mtatest.Folder(t)
	milter := "unix:" + filepath.Join(folder, "milter.sock")
	mta := mtatest.StartSendmail(t, mtatest.StartSink(t), milter)
	i := install(t, folder, milter)
	i.says(t, exitYes, `sendmail ok   filter assay: mail goes to unix:.*/milter.sock; F=T, T=C:10s;S:30s;R:30s;E:60s`,
		"--postfix-config", "", "--sendmail-cf", mta.Config)
}
