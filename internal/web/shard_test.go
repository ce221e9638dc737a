package web

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
)

// sharded is what an exporter serves of its shard.
type sharded struct {
	Scraped, Discovered, Shown []string
	Meta                       []string // that /sd has of the shard, each once
	Page                       string   // the sentence on the status page
	Shard                      string   // in JSON, with the number of the others' targets
	Others                     int
}

// Each shard scrapes, lists and shows its own targets, reports how many are others', and probes any of them by name,
// also where the policy allows configured targets alone and denies their network.
func TestShardedTargets(t *testing.T) {
	healthy := faultlab.Handler(t, faultlab.Healthy)
	text := labModule() + "probe_policy: {targets: configured, deny_networks: [127.0.0.0/8]}\ntargets:\n"
	all := []string{"api-0", "api-1", "api-2", "api-3", "api-4"}
	for _, name := range all {
		text += fmt.Sprintf("  - {name: %s, url: %q, module: api}\n", name, healthy)
	}
	for _, row := range []struct {
		shard config.Shard
		own   []string
		want  sharded
	}{
		{config.Shard{}, all, sharded{}},
		{config.Shard{Count: 1}, all, sharded{}},
		{config.Shard{Count: 2}, []string{"api-0", "api-2"}, sharded{Meta: []string{"0/2", "3"}, Shard: "0/2", Others: 3,
			Page: "Shard 0/2: 3 other configured targets belong to other shards."}},
		{config.Shard{Index: 1, Count: 2}, []string{"api-1", "api-3", "api-4"}, sharded{Meta: []string{"1/2", "2"}, Shard: "1/2", Others: 2,
			Page: "Shard 1/2: 2 other configured targets belong to other shards."}},
		{config.Shard{Index: 999, Count: 1000}, nil, sharded{Shard: "999/1000", Others: 5,
			Page: "All configured targets belong to other shards."}},
	} {
		t.Run(strings.ReplaceAll(row.shard.String(), "/", " of "), func(t *testing.T) {
			c, err := config.Parse([]byte(text), "test", ".")
			if err != nil {
				t.Fatal(err)
			}
			server := serveConfig(t, c.InShard(row.shard), slog.New(slog.DiscardHandler))
			row.want.Scraped, row.want.Discovered, row.want.Shown = row.own, row.own, row.own
			if diff := cmp.Diff(row.want, shardOn(t, server.URL, row.want.Page)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, name := range all {
				body := answered(t, server.URL+"/probe?target="+name)
				if !strings.Contains(body, "\nprobe_success 1\n") ||
					!strings.Contains(answered(t, server.URL+"/logs?target="+name), healthy) {
					t.Errorf("/probe?target=%s has not succeeded, or /logs has no record of it:\n%s", name, body)
				}
			}
		})
	}
}

// answered is the body of an answer 200.
func answered(t *testing.T, address string) string {
	t.Helper()
	got := ask(t, http.MethodGet, address, nil)
	if got.Status != http.StatusOK {
		t.Fatalf("GET %s = %d: %s", address, got.Status, got.Body)
	}
	return got.Body
}

// shardOn asks a server for what it serves of its shard.
func shardOn(t *testing.T, server, page string) sharded {
	t.Helper()
	var got sharded
	for line := range strings.Lines(answered(t, server+"/metrics")) {
		if name, found := strings.CutPrefix(line, `probe_success{target="`); found {
			name, _, _ = strings.Cut(name, `"`)
			got.Scraped = append(got.Scraped, name)
		}
	}
	var groups []discovered
	if err := json.Unmarshal([]byte(answered(t, server+"/sd")), &groups); err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		got.Discovered = append(got.Discovered, group.Labels["__param_target"])
		for _, name := range []string{"__meta_errno_exporter_shard", "__meta_errno_exporter_other_targets"} {
			if value, there := group.Labels[name]; there && !slices.Contains(got.Meta, value) {
				got.Meta = append(got.Meta, value)
			}
		}
	}
	var status struct {
		Shard  string
		Others int `json:"other_targets"`
		Shown  []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(answered(t, server+"/?format=json")), &status); err != nil {
		t.Fatal(err)
	}
	got.Shard, got.Others = status.Shard, status.Others
	for _, target := range status.Shown {
		got.Shown = append(got.Shown, target.Name)
	}
	slices.Sort(got.Scraped)
	html := answered(t, server+"/")
	if strings.Contains(html, page) {
		got.Page = page
	}
	if unsharded := !strings.Contains(html, "other shards"); unsharded != (page == "") {
		t.Errorf("the status page has shards: %t, want %t", !unsharded, page != "")
	}
	return got
}
