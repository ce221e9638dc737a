package prober

import (
	"net/http"
)

// What is kept of what others send. A record outlives its probe, in the history and as a target's last result, and its
// texts are chosen by servers, proxies and resolvers.
//
//   - Every text is cut to maxText bytes: reason phrases, header fields, names in certificates, errors.
//   - A head is cut to maxHead bytes and maxFields fields. The fields that this program reads are kept first, then the
//     others by name.
//   - A chain of certificates that costs more than maxChain is replaced by what is shown of it.
//   - What is cut is copied, so that it does not hold on to the whole.
//
// The module's rules see heads before they are cut: they apply while the hop runs.

// forget lets go of the head that net/http has of an exchange that has ended.
func (h *hop) forget() {
	if h.response != nil {
		h.response = &http.Response{Close: h.response.Close, Request: h.response.Request}
	}
}
