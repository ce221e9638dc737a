package incidents

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of real servers in docs/causes.md instead of comparing it")

// found are the verdicts at the end of an incident, without noise.
func found(i *incident, all []seen) []string {
	var list []string
	for text := range ends(i, all) {
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

// usual is the verdict at the end of an incident that more than half of its targets without noise have, at least two.
func usual(i *incident, all []seen) (text string, there bool) {
	times := ends(i, all)
	sum := 0
	for _, n := range times {
		sum += n
	}
	for text, n := range times {
		if n >= 2 && 2*n > sum {
			return text, true
		}
	}
	return "", false
}

// ends counts the verdicts at the end of an incident, without noise; wrong ones only where the machine had CPU time.
func ends(i *incident, all []seen) map[string]int {
	times := map[string]int{}
	for n := range all {
		one := &all[n]
		if one.noisy || len(one.probes) == 0 {
			continue
		}
		p := one.probes[len(one.probes)-1]
		if !among(i.right+"|none|unknown", p.cause) && one.excused(len(one.probes)-1) {
			continue
		}
		text := "`" + p.cause + "`"
		if p.party != "" {
			text += ", party " + p.party
		}
		times[text]++
	}
	return times
}

// row is an incident's row of the table: the truth, what was found without noise, with the highest confidence, and how
// often it was right.
func row(i *incident, all []seen) string {
	c := countAll(i, all)
	sure := []string{}
	for _, name := range []string{high, medium} {
		if n := c.of(name).all(); n > 0 {
			sure = append(sure, fmt.Sprintf("%s %d", name, n))
		}
	}
	party := strings.ReplaceAll(i.party, "|", " or ")
	if i.right == "" {
		party = "none"
	}
	causes := c.of(cause)
	return fmt.Sprintf("| %s | %s | %s | %s | %d of %d |\n", i.name, party,
		strings.Join(found(i, all), "; "), strings.Join(sure, ", "), causes.right, causes.all())
}

var tableBlock = regexp.MustCompile(`(?s)(<!-- real servers -->\n).*(<!-- end of real servers -->)`)

// compareTable compares party and cause in docs/causes.md with what most targets of an incident have, or writes the
// table.
func compareTable(t *testing.T, all []incident, results [][]seen) []string {
	t.Helper()
	const file = "../../docs/causes.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	table := "| incident | party | found at the end: cause and party | verdicts with a cause | right |\n" +
		"|---|---|---|---|---|\n"
	var differ []string
	for n := range all {
		i := &all[n]
		if results[n] == nil {
			continue
		}
		table += row(i, results[n])
		verdict, there := usual(i, results[n])
		if *update || !there || i.often > 0 { // what may race may end in more ways than one
			continue
		}
		_, written, known := strings.Cut(string(page), "\n| "+i.name+" |")
		written, _, _ = strings.Cut(written, "\n")
		named := strings.Trim(strings.SplitN(verdict, ",", 2)[0], "`")
		expected := among(i.right+"|none|unknown", named) // on a busy machine fewer verdicts are sure
		if !known || !expected && !strings.Contains(written, verdict) {
			differ = append(differ, fmt.Sprintf("docs/causes.md has not %s for %s; run: go test ./test/incidents -update",
				verdict, i.name))
		}
	}
	if *update {
		page = tableBlock.ReplaceAll(page, []byte("${1}"+strings.ReplaceAll(table, "$", "$$")+"${2}"))
		if err := os.WriteFile(file, page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return differ
}
