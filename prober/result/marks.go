package result

import "strings"

// Marks are texts that the beginning of an error's body contains: what maintenance pages write. They are found without
// keeping the body.
type Marks uint8

// The marks. What gateways write is read by prober/upstream.
const (
	MaintenanceWords Marks = 1 << iota // the page says that it is maintenance
)

// markTexts are the texts in lower case.
var markTexts = []struct {
	mark Marks
	text string
}{
	{MaintenanceWords, "maintenance"},
}

// apachePage is in Apache's own page for every 503: that it may be maintenance says nothing.
const apachePage = "maintenance downtime or capacity"

// MarksOf are the marks in a text.
func MarksOf(body []byte) Marks {
	text, found := strings.ToLower(string(body)), Marks(0)
	text = strings.ReplaceAll(text, apachePage, "")
	for _, m := range markTexts {
		if strings.Contains(text, m.text) {
			found |= m.mark
		}
	}
	return found
}
