package store

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// killedEnv has the path of the store that a process writes until it is killed.
const killedEnv = "ERRNO_EXPORTER_TEST_STORE"

// writeUntilKilled commits records and their incidents, and prints each record's ID after its commit. It ends at the
// latest when nobody reads them.
func writeUntilKilled(path string) {
	s, err := Open(Options{Path: path, Retention: 24 * time.Hour, MaxSize: 64 << 20, LockWait: time.Minute,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for n := 1; ; n++ {
		i := incidentAt("killed", time.Now(), os.Getpid())
		r := recordAt("killed", i.Begin, os.Getpid())
		r.Incident, r.First = i.ID, n%2 == 0
		r.Body = append(r.Body, strings.Repeat(hex.EncodeToString(r.ID[:]), n%200)...)
		s.PutRecord(r)
		s.PutIncident(i)
		if err := s.Flush(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		if _, err := fmt.Printf("%x\n", r.ID); err != nil {
			os.Exit(1)
		}
	}
}

// A process that is killed at any moment loses nothing that it has committed, and leaves a store that opens: a hundred
// times, from before there is a file on.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := file(t)
	acknowledged := map[string]bool{}
	for range 100 {
		for _, id := range killOne(t, path) {
			acknowledged[id] = true
		}
		s := open(t, path)
		all, err := s.Records(Query{Target: "killed"})
		if err == nil {
			err = s.view(checkAll)
		}
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, r := range all {
			found[fmt.Sprintf("%x", r.ID)] = true
			if i, ok := s.Incident(r.Incident); !ok || string(i.Body) != "killed" {
				t.Errorf("record %x is without its incident, which was committed with it", r.ID)
			}
		}
		for id := range acknowledged {
			if !found[id] {
				t.Fatalf("record %s was committed and is lost", id)
			}
		}
		s.Close()
	}
	if len(acknowledged) < 100 {
		t.Errorf("%d records were committed, want some from most of the processes", len(acknowledged))
	}
	if left, _ := os.ReadDir(path[:strings.LastIndexByte(path, os.PathSeparator)]); len(left) != 1 {
		t.Errorf("the directory has %v, want the store alone", left)
	}
}

// killOne starts a process that writes, kills it, and returns what it has acknowledged.
func killOne(t *testing.T, path string) (ids []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), killedEnv+"="+path)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	after := rand.IntN(5) // acknowledged records; with 0 it is killed while it starts
	lines := bufio.NewScanner(out)
	for len(ids) < after && lines.Scan() {
		ids = append(ids, lines.Text())
	}
	pause := time.NewTimer(time.Duration(rand.IntN(2000)) * time.Microsecond) // somewhere in the next commits
	<-pause.C
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // what it has printed meanwhile
		ids = append(ids, lines.Text())
	}
	_ = child.Wait() // it was killed
	for _, id := range ids {
		if len(id) != 32 {
			t.Fatalf("the process printed %q, want the ID of a record", id)
		}
	}
	return ids
}

// checkAll checks that the file's pages are consistent.
func checkAll(tx *bbolt.Tx) error {
	for err := range tx.Check() {
		return err
	}
	return nil
}
