package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"assay/dnscache/dnstest"
	"assay/filter"
)

// noon is when the doctor of the tests looks at the clock.
var noon = clock{now: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), built: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), synchronized: true}

// TestDoctorCases runs assay doctor in each file of testdata/doctor. Its sections are
// files; beside them "zone" is the DNS, whose answers "dns" says something about:
// "udp" has no TCP, "ad" vouches for all. Where there is a serve.toml, a milter runs
// by it. $DIR is the folder, $DNS the name server.
func TestDoctorCases(t *testing.T) {
	files, err := filepath.Glob("testdata/doctor/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runDoctor(t, archive)
			if *updateCases {
				if err := os.WriteFile(file, txtar.Format(withWanted(archive, got)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"stdout", "status"} {
				if want := fileOf(archive, "want/"+name); got[name] != want && !*updateCases {
					t.Errorf("%s:\n got %s\nwant %s", name, got[name], want)
				}
			}
		})
	}
}

func runDoctor(t *testing.T, archive *txtar.Archive) map[string]string {
	folder := openFolder(t)
	zone, err := expand(fileOf(archive, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	dns := serveDNS(t, dnstest.MustParse(t, zone).Serve(t), fileOf(archive, "dns"))
	there := strings.NewReplacer("$DIR", folder, "$DNS", dns)
	d := doctor{clock: func() clock { return noon }}
	milter := ""
	for _, f := range archive.Files {
		if !strings.Contains(f.Name, ".") {
			continue
		}
		path := filepath.Join(folder, f.Name)
		writeOld(t, path, there.Replace(string(f.Data)))
		switch f.Name {
		case "assay.toml":
			d.flags.config = path
		case "serve.toml":
			milter = path
		case "postfix/main.cf":
			needPostconf(t)
			d.flags.postfixDir, d.flags.postfixGiven = filepath.Dir(path), true
		case "sendmail.cf":
			d.flags.sendmailCF, d.flags.sendmailGiven = path, true
		}
	}
	if milter != "" {
		serveCase(t, milter)
	}
	d.flags.json = strings.Contains(fileOf(archive, "run"), "--json")
	var out strings.Builder
	code := exitYes
	if err := d.run(t.Context(), &out); err != nil && !errors.As(err, (*status)(&code)) {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(dns)
	said := strings.NewReplacer(folder, "$DIR", dns, "$DNS", "port "+port, "port $PORT").Replace(out.String())
	for _, v := range variable() {
		said = v.pattern.ReplaceAllString(said, v.instead)
	}
	return map[string]string{"stdout": said, "status": fmt.Sprintln(code)}
}

// varies is what is different each time or on each host.
type varies struct {
	pattern *regexp.Regexp
	instead string
}

func variable() []varies {
	return []varies{
		{regexp.MustCompile(`(took|queries) [0-9.]+(ns|µs|ms|s)`), "$1 TIME"},
		{regexp.MustCompile(`Postfix 3\.[0-9.]+`), "Postfix 3"},
		{regexp.MustCompile(`ref [0-9A-Z-]{14}`), "ref REF"},
	}
}

// writeOld writes a file that seems to be an hour old: Postfix waits for two seconds
// before it reads one that has just been written.
func writeOld(t *testing.T, path, text string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err == nil {
		err = os.Chtimes(path, old, old)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openFolder is one that everybody may enter and whose path is short enough for a
// socket.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "doctor")
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// serveCase runs the milter by a configuration until the end of the test.
func serveCase(t *testing.T, file string) {
	t.Helper()
	c, err := loadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := settingsOf(c)
	if err != nil {
		t.Fatal(err)
	}
	listeners, err := listen("listen.milter", 0o666, c.Listen.Milter...)
	if err != nil {
		t.Fatal(err)
	}
	server := filter.NewServer(slog.New(slog.NewTextHandler(io.Discard, nil)), settings)
	for _, l := range listeners {
		go server.Serve(l)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}

// needPostconf skips where there is none, and fails where there must be one.
func needPostconf(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("/usr/sbin/postconf"); err == nil {
		return
	}
	if os.Getenv("ASSAY_REQUIRE_MTA") == "1" {
		t.Fatal("postconf is not installed, and ASSAY_REQUIRE_MTA is set")
	}
	fmt.Fprintf(os.Stderr, "doctor: SKIPPED %s: postconf is not installed\n", t.Name())
	t.Skip("postconf is not installed")
}

// TestDoctorAbsent: what is looked for by default may be missing, what is named
// may not.
func TestDoctorAbsent(t *testing.T) {
	folder := t.TempDir()
	says := func(got []finding, want finding) {
		t.Helper()
		if len(got) != 1 || got[0] != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	const gone = "no such file or directory"
	d := doctor{flags: doctorFlags{postfixDir: folder, sendmailCF: folder + "/sendmail.cf"}}
	says(d.checkConfig(t.Context()), found(warned, "no file given, so that the defaults are looked at").next("name the file of the running milter: assay doctor -c FILE"))
	says(d.checkPostfix(t.Context()), found(skipped, "not set up on this host: stat %s/main.cf: %s", folder, gone))
	says(d.checkSendmail(t.Context()), found(skipped, "not set up on this host: open %s/sendmail.cf: %s", folder, gone))
	d.flags.postfixGiven, d.flags.sendmailGiven = true, true
	says(d.checkPostfix(t.Context()), found(failing, "stat %s/main.cf: %s", folder, gone).next("name the folder of main.cf: --postfix-config DIR"))
	says(d.checkSendmail(t.Context()), found(failing, "open %s/sendmail.cf: %s", folder, gone).next("name the file: --sendmail-cf FILE"))
}
