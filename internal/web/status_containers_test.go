package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"errno_exporter/internal/observe"
)

// A target's page has a fact for each container, those that were reset most first, at most 20; its JSON has them all.
func TestContainersOfTarget(t *testing.T) {
	c := &observe.Connections{Containers: map[string]observe.ContainerCount{
		"shop.service": {Open: 2, Ended: 6}, "containerd://0123456789ab": {Open: 1, Ended: 20, Reset: 19, Lost: 3}}}
	containers := func() (texts []string) {
		p := &targetPage{Application: toApplication(c)}
		for _, f := range p.applicationFacts().Rows {
			if f.Name == "container" {
				texts = append(texts, f.Value)
			}
		}
		return texts
	}
	want := []string{"containerd://0123456789ab: 1 open, 20 ended, 19 by a reset, 3 with a request in progress",
		"shop.service: 2 open, 6 ended"}
	if got := containers(); !slices.Equal(got, want) {
		t.Errorf("facts %q, want %q", got, want)
	}
	text, err := json.Marshal(toApplication(c).Containers)
	if want := `[{"name":"containerd://0123456789ab","open":1,"ended":20,"reset":19,"requests_lost":3},` +
		`{"name":"shop.service","open":2,"ended":6,"reset":0,"requests_lost":0}]`; err != nil || string(text) != want {
		t.Errorf("JSON %s (%v), want %s", text, err, want)
	}
	for i := range 30 {
		c.Containers[fmt.Sprintf("s%d.service", i)] = observe.ContainerCount{}
	}
	if got := containers(); len(got) != maxContainerFacts+1 || got[maxContainerFacts] != "12 more" {
		t.Errorf("facts of 32 containers: %q", got)
	}
	c.Containers = nil
	if got := containers(); got != nil {
		t.Errorf("facts without containers: %q", got)
	}
}
