package result

import (
	"strings"
	"time"
)

// Family is what became of the questions for one family of addresses.
type Family struct {
	Name     string        // "ip4" or "ip6"
	Answered bool          // the name servers gave addresses, or said that there are none
	GivenUp  bool          // nobody said that it failed; it was waited for no longer, as the other family was known
	Duration time.Duration // from the first question to the last answer, or to when it was given up
}

func AskedName(e *DNSExchange) string {
	name, _, _ := strings.Cut(e.Question, " ")
	return name
}
