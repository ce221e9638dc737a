package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseShard(t *testing.T) {
	for _, row := range []struct {
		text string
		want Shard
	}{
		{"0/1", Shard{0, 1}},
		{"0/3", Shard{0, 3}},
		{"2/3", Shard{2, 3}},
		{"999/1000", Shard{999, 1000}},
	} {
		if got, err := ParseShard(row.text); got != row.want || err != nil {
			t.Errorf("ParseShard(%q) = %v, %v, want %v", row.text, got, err, row.want)
		}
	}
	for _, text := range []string{"", "/", "1", "/3", "1/", "3/3", "-1/3", "0/0", "0/-1", "0/1001", "+1/3", "01/3", " 1/3",
		"1/3 ", "1/2/3", "a/b", "1.0/3", "$(POD_INDEX)/3", "0/99999999999999999999"} {
		got, err := ParseShard(text)
		want := fmt.Sprintf("%q is not a shard, want I/N with N from 1 to 1000 and I from 0 to N-1, such as 0/3", text)
		if got != (Shard{}) || err == nil || err.Error() != want {
			t.Errorf("ParseShard(%q) = %v, %v, want the error %s", text, got, err, want)
		}
	}
}

// shardOf is the only shard of a number that has a target.
func shardOf(t *testing.T, name string, count int) int {
	t.Helper()
	var owners []int
	for i := range count {
		if (Shard{i, count}).has(name) {
			owners = append(owners, i)
		}
	}
	if len(owners) != 1 {
		t.Fatalf("of %d shards %v have the target %q, want one", count, owners, name)
	}
	return owners[0]
}

// A version that moved targets would reset their counters: where these are stays.
func TestShardsStay(t *testing.T) {
	for _, row := range []struct {
		name string
		want []int // with 1, 2, 3, 10 and 1000 shards
	}{
		{"", []int{0, 1, 2, 5, 22}},
		{"payments", []int{0, 0, 0, 0, 587}},
		{"example", []int{0, 1, 1, 6, 650}},
		{"https://api.example.com/v1/health", []int{0, 1, 2, 2, 468}},
		{"ünïcode", []int{0, 0, 0, 6, 315}},
	} {
		var got []int
		for _, count := range []int{1, 2, 3, 10, 1000} {
			got = append(got, shardOf(t, row.name, count))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("target %q is in the shards %v, want %v", row.name, got, row.want)
		}
	}
}

// Shards have about as many targets each, and one shard more takes its share from all and moves no other target.
func TestShardsAreEven(t *testing.T) {
	const targets = 3000
	before := make([]int, targets)
	for count := 1; count <= 8; count++ {
		sizes := make([]int, count)
		for i := range targets {
			now := shardOf(t, fmt.Sprintf("https://api-%d.example.com/", i), count)
			if now != before[i] && now != count-1 {
				t.Errorf("target %d moves from shard %d to %d of %d, want it to stay or to move to the new one", i,
					before[i], now, count)
			}
			before[i] = now
			sizes[now]++
		}
		t.Logf("%d targets in %d shards: %v", targets, count, sizes)
		even := targets / count
		if slices.Min(sizes) < even*8/10 || slices.Max(sizes) > even*12/10 {
			t.Errorf("%d shards have %v targets, want about %d each", count, sizes, even)
		}
	}
}

// names are those of targets.
func names(targets []*Target) []string {
	all := []string{}
	for _, target := range targets {
		all = append(all, target.Name)
	}
	return all
}

// Each target of the file and of target_files is in one of the shards, also after reloads; one that is added moves no
// other, and all are found by their names.
func TestInShard(t *testing.T) {
	path, write := targetDir(t)
	var text strings.Builder
	for i := range 20 {
		fmt.Fprintf(&text, "- targets: [http://host-%d.example/]\n", i)
	}
	write("targets/a.yml", text.String())
	all, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	shards := make([]*Current, 3)
	for i := range shards {
		shards[i] = NewCurrent(all.InShard(Shard{i, len(shards)}))
	}
	owners := func(targets []*Target) map[string]int {
		t.Helper()
		found := map[string]int{}
		for i, shard := range shards {
			c := shard.Get()
			if c.Shard != (Shard{i, len(shards)}) || len(c.Targets)+len(c.OtherTargets) != len(targets) {
				t.Errorf("shard %v has %d targets and %d others, want %d together", c.Shard, len(c.Targets),
					len(c.OtherTargets), len(targets))
			}
			for _, name := range names(c.Targets) {
				if _, twice := found[name]; twice {
					t.Errorf("target %s is in two shards", name)
				}
				found[name] = i
			}
			for _, target := range targets {
				if got := c.Find(target.Name); got == nil || got.URL.String() != target.URL.String() ||
					c.Scraped(got) != slices.Contains(c.Targets, got) {
					t.Errorf("Find(%q) = %v in shard %d", target.Name, got, i)
				}
			}
		}
		return found
	}
	before := owners(all.Targets)
	write("targets/b.yml", "- {name: added, url: 'http://added/'}\n")
	if all, err = Load(path); err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		if !shard.TargetsChanged() {
			t.Error("the new file of targets is not noticed")
		}
		if err := shard.Reload(path); err != nil {
			t.Fatal(err)
		}
	}
	after := owners(all.Targets)
	if _, there := after["added"]; !there {
		t.Error("the added target is in no shard")
	}
	delete(after, "added")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("an added target moved others (-before +after):\n%s", diff)
	}
	// A file that cannot be used keeps the targets that it had, in their shards.
	write("targets/a.yml", "- {targets: [\n")
	for _, shard := range shards {
		if err := shard.Reload(path); err != nil {
			t.Fatal(err)
		}
	}
	after = owners(all.Targets)
	delete(after, "added")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("a broken file moved targets (-before +after):\n%s", diff)
	}
	if c, err := Load(filepath.Clean(path)); err != nil || len(c.OtherTargets) > 0 || c.Shard.Divides() {
		t.Errorf("Load: others %v, %v, want none without a shard", names(c.OtherTargets), err)
	}
}
