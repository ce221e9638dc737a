package incident

import "testing"

// FuzzNext: whatever comes in whichever order, each failure is counted in one incident, incidents do not overlap, and one
// that was stored goes on as one that was not. Each byte is a probe: its kind, and how many minutes after the last one.
func FuzzNext(f *testing.F) {
	for _, text := range []string{"", "RRR", "R.R..R...", "TT\xff56\x80u", "rRmR.r.r.r", "\x00\x01\x02\x03\x7f\x80\xfe\xff"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, probes []byte) {
		if len(probes) > 500 {
			t.Skip()
		}
		rule := Rule{2}
		var all []*Incident
		var open, stored *Incident
		failures, minute := 0, 0
		for n, b := range probes {
			minute += int(b>>4) * int(b>>4) // up to 225
			s := seen(n+1, minute, ".RT56urm"[b&7])
			if s.Failure != nil {
				failures++
			}
			var over *Incident
			over, open = rule.Next(open, s)
			if over != nil {
				all = append(all, over)
			}
			overStored, next := rule.Next(stored, s)
			for _, pair := range [][2]*Incident{{over, overStored}, {open, next}} {
				if (pair[0] == nil) != (pair[1] == nil) || pair[0] != nil && said(pair[0]) != said(pair[1]) {
					t.Fatalf("probe %d: %v, and after it was stored %v", n, pair[0], pair[1])
				}
			}
			if stored = nil; next != nil {
				var err error
				if stored, err = Decode(next.Encode()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if open != nil {
			all = append(all, open.Lost())
		}
		for n, i := range all {
			kinds := i.OtherKinds
			for _, k := range i.Kinds {
				kinds += k.Count
			}
			if failures -= i.Failed; i.End.Before(i.Begin) || i.Failed > i.Attempts || kinds != i.Failed || i.Open() {
				t.Errorf("incident %d: %s", n, said(i))
			}
			if n > 0 && (i.Begin.Before(all[n-1].End) || i.First.Compare(all[n-1].Last) <= 0) {
				t.Errorf("incident %d: %s overlaps %s", n, said(i), said(all[n-1]))
			}
		}
		if failures != 0 {
			t.Errorf("%d failures are in no incident, or in two", failures)
		}
	})
}
