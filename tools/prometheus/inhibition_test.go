package prometheus

import (
	"fmt"
	"sync/atomic"
	"testing"

	amlabels "github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/prometheus/rules"
)

// inhibitionRule is a rule of monitoring/alertmanager.yml.
type inhibitionRule struct {
	sources, targets []*amlabels.Matcher
	equal            []string
	muted            atomic.Int64 // alerts that it muted
}

func (r *inhibitionRule) String() string { return fmt.Sprint(r.sources) }

func inhibitionRules(t *testing.T) []*inhibitionRule {
	t.Helper()
	var file struct {
		InhibitRules []struct {
			SourceMatchers []string `yaml:"source_matchers"`
			TargetMatchers []string `yaml:"target_matchers"`
			Equal          []string
		} `yaml:"inhibit_rules"`
	}
	readYAML(t, "../../monitoring/alertmanager.yml", &file)
	parse := func(texts []string) []*amlabels.Matcher {
		var all []*amlabels.Matcher
		for _, text := range texts {
			m, err := amlabels.ParseMatcher(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		return all
	}
	var all []*inhibitionRule
	for _, r := range file.InhibitRules {
		all = append(all, &inhibitionRule{sources: parse(r.SourceMatchers), targets: parse(r.TargetMatchers), equal: r.Equal})
	}
	return all
}

func match(all []*amlabels.Matcher, a *rules.Alert) bool {
	for _, m := range all {
		if !m.Matches(a.Labels.Get(m.Name)) {
			return false
		}
	}
	return true
}

// muted is whether Alertmanager mutes an alert: another one is a rule's source, with the same values of its labels. An
// alert on both sides of a rule is not muted by one that is so, too.
func (c *comparison) muted(a *rules.Alert, all map[string]*rules.Alert) bool {
	found := false
	for _, r := range c.inhibition {
		if !match(r.targets, a) {
			continue
		}
		for _, source := range all {
			if !match(r.sources, source) || (match(r.sources, a) && match(r.targets, source)) {
				continue
			}
			equal := true
			for _, name := range r.equal {
				equal = equal && source.Labels.Get(name) == a.Labels.Get(name)
			}
			if equal {
				r.muted.Add(1)
				found = true
			}
		}
	}
	return found
}
