package revocation

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"crypto/x509"

	"errno_exporter/internal/claims"
)

var errGone = errors.New("gone")

// TestGet: when a list is fetched, and what is used where it cannot be.
func TestGet(t *testing.T) {
	day := func(n int) time.Time { return time.Now().Add(time.Duration(n) * 24 * time.Hour) }
	first, second, stale := &List{NextUpdate: day(1)}, &List{NextUpdate: day(2)}, &List{NextUpdate: day(-1)}
	for _, row := range []struct {
		name      string
		kept      *List
		keptErr   error
		due       bool // it is to be fetched again
		cancelled bool
		fetched   *List // nil: that fails
		want      *List
		wantErr   error
		fetches   int
		again     time.Duration // until it is fetched again; -1: at once
	}{
		{"nothing is kept", nil, nil, true, false, first, first, nil, 1, refresh},
		{"a list is kept", first, nil, false, false, second, first, nil, 0, refresh},
		{"it is due", first, nil, true, false, second, second, nil, 1, refresh},
		{"it is due, and cannot be had", first, nil, true, false, nil, first, nil, 1, retry},
		{"it is stale, and cannot be had", stale, nil, true, false, nil, nil, errGone, 1, retry},
		{"it is stale, and so is the next", stale, nil, true, false, stale, stale, nil, 1, retry},
		{"it could not be had", nil, errGone, false, false, first, nil, errGone, 0, refresh},
		{"nobody waits", nil, nil, true, true, nil, nil, errGone, 1, -1},
	} {
		s, key := NewStore(), KeyOf("http://a/", &x509.Certificate{})
		e := s.entry(key)
		e.list, e.err = row.kept, row.keptErr
		if !row.due {
			e.next = time.Now().Add(refresh)
		}
		ctx, cancel := context.WithCancel(t.Context())
		fetches := 0
		got, err := s.Get(ctx, key, func(context.Context) (*List, error) {
			fetches++
			if row.cancelled {
				cancel()
			}
			if row.fetched == nil {
				return nil, errGone
			}
			return row.fetched, nil
		})
		cancel()
		if got != row.want || !errors.Is(err, row.wantErr) || fetches != row.fetches {
			t.Errorf("%s: %p, %v after %d fetches, want %p, %v after %d", row.name, got, err, fetches, row.want, row.wantErr,
				row.fetches)
		}
		if left := time.Until(e.next); left > row.again || row.again > 0 && left < row.again-time.Minute/2 {
			t.Errorf("%s: it is fetched again in %v, want %v", row.name, left, row.again)
		}
	}
}

// TestListsAreBounded: the lists that were used least recently make room, by number and by size.
func TestListsAreBounded(t *testing.T) {
	const large = 8 << 20
	for _, row := range []struct {
		name          string
		entries, kept int // of each list; lists that are left of 400
	}{{"many", 0, MaxLists}, {"large", large / perEntry, 3}} {
		s := NewStore()
		first := KeyOf("http://first/", &x509.Certificate{})
		for n := range 400 {
			for _, key := range []Key{first, KeyOf(fmt.Sprintf("http://%d/", n), &x509.Certificate{})} {
				_, _ = s.Get(t.Context(), key, func(context.Context) (*List, error) {
					return &List{revoked: make([]revoked, row.entries), NextUpdate: time.Now().Add(time.Hour)}, nil
				})
			}
		}
		if len(s.known) != row.kept || s.known[first] == nil || s.Size() > MaxBytes {
			t.Errorf("%s: %d are kept in %d bytes, the one that is used among them: %t, want %d in at most %d", row.name,
				len(s.known), s.Size(), s.known[first] != nil, row.kept, MaxBytes)
		}
	}
	claims.Prove(t, "lists of revoked certificates that are kept", MaxLists, MaxBytes)
}
