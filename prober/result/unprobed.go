package result

import "time"

// Unprobed is the result for a target to which nothing was sent, with its URL as it may be shown, and why.
func Unprobed(t Target, url, module string, f Failure) Result {
	url = Cut(url, MaxShownURL)
	return Result{
		Target: t, URL: url, Module: module, Start: time.Now(), Failure: &f,
		Attempts: []Attempt{{Failure: &f, Hops: []Hop{{URL: url, Spans: []Span{{Phase: f.Phase, Failed: true}}}}}},
	}
}
