package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"errno_exporter/internal/faultlab"
)

// The built program under scripts. Besides testscript's own commands there are:
//
//	serve FLAG...        start the exporter on a port of its own, in $ADDR, and wait until it listens
//	get PATH             GET it from that exporter: the status and the body are the stdout
//	fault NAME           start a server of the faultlab, its URL in $URL
//	subst FILE           replace the word URL in a file by $URL
//	log PATTERN          wait for a log line
//	logged N PATTERN     N of the log's lines up to now match
//	signal NAME PATTERN  send HUP, TERM or INT and wait for a log line; TERM and INT must then end it with status 0

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"errno_exporter": program})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  cmdServe,
			"get":    cmdGet,
			"signal": cmdSignal,
			"fault":  cmdFault,
			"log":    cmdLog,
			"logged": cmdLogged,
			"subst":  cmdSubst,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[runningKey{}] = &running{}
			env.Setenv("VERSION", strings.TrimSpace(versionFile))
			return nil
		},
	})
}

// running is a script's exporter.
type running struct {
	command *exec.Cmd
	log     *bufio.Scanner
	lines   []string // of the log, as far as it was read
}

type runningKey struct{}

func current(ts *testscript.TestScript) *running { return ts.Value(runningKey{}).(*running) }

// waitLog reads the exporter's log up to the first line that matches, and returns what the pattern's group matched.
func (r *running) waitLog(ts *testscript.TestScript, pattern string) string {
	expression := regexp.MustCompile(pattern)
	for r.read(ts) {
		if match := expression.FindStringSubmatch(r.log.Text()); match != nil {
			return match[len(match)-1]
		}
	}
	ts.Fatalf("the log ended without a line that matches %q", pattern)
	return ""
}

// read reads the log's next line.
func (r *running) read(ts *testscript.TestScript) bool {
	if !r.log.Scan() {
		return false
	}
	r.lines = append(r.lines, r.log.Text())
	ts.Logf("%s", r.log.Text())
	return true
}

func cmdServe(ts *testscript.TestScript, _ bool, flags []string) {
	program, err := exec.LookPath("errno_exporter")
	ts.Check(err)
	command := exec.Command(program, append([]string{"--web.listen-address=127.0.0.1:0"}, flags...)...)
	command.Dir = ts.MkAbs(".")
	command.Env = append(os.Environ(), "GOMEMLIMIT="+ts.Getenv("GOMEMLIMIT"), // the script's, or none
		deniedVariable+"="+ts.Getenv(deniedVariable))
	log, err := command.StderrPipe()
	ts.Check(err)
	ts.Check(command.Start())
	ts.Defer(func() {
		_ = command.Process.Kill() // fails when the script has ended it
		_ = command.Wait()
	})
	r := current(ts)
	r.command, r.log, r.lines = command, bufio.NewScanner(log), nil
	ts.Setenv("ADDR", r.waitLog(ts, `msg="Listening on" address=(\S+)`))
}

func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Get("http://" + ts.Getenv("ADDR") + args[0])
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "%s\n%s", response.Status, body)
	ts.Check(err)
}

func cmdLog(ts *testscript.TestScript, _ bool, args []string) {
	current(ts).waitLog(ts, strings.Join(args, " "))
}

func cmdLogged(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	expression := regexp.MustCompile(strings.Join(args[1:], " "))
	found := 0
	for _, line := range current(ts).lines {
		if expression.MatchString(line) {
			found++
		}
	}
	if found != want {
		ts.Fatalf("%d lines of the log match %q, want %d", found, expression, want)
	}
}

func cmdSubst(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(ts.ReadFile(file), `"URL"`, `"`+ts.Getenv("URL")+`"`)),
		0o644))
}

func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT}
	r := current(ts)
	ts.Check(r.command.Process.Signal(signals[args[0]]))
	r.waitLog(ts, strings.Join(args[1:], " "))
	if args[0] == "HUP" {
		return
	}
	for r.read(ts) { // up to its end, which Wait must not cut off
		continue
	}
	ts.Check(r.command.Wait())
}

// faults are the servers that scripts can start.
var faults = map[string]func(faultlab.Host) string{
	"healthy":             func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) },
	"reset_after_request": faultlab.ResetAfterRequest,
	"stall":               faultlab.Silent,
	"expired_certificate": faultlab.ExpiredCertificate,
}

// scriptHost lets a script own a server.
type scriptHost struct{ *testscript.TestScript }

func (scriptHost) Helper()            {}
func (h scriptHost) Cleanup(f func()) { h.Defer(f) }

func cmdFault(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || faults[args[0]] == nil {
		ts.Fatalf("usage: fault NAME, with a NAME of the table of faults")
	}
	ts.Setenv("URL", faults[args[0]](scriptHost{ts}))
}
