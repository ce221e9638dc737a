// Package result has the plain values that a probe leaves behind, and the vocabulary that names its failures. It
// imports nothing of ours: whoever reads results (metrics, records, causes, pages) needs this package and not the
// prober.
//
//	failure.go     the vocabulary: phases, origins, errnos, and the sentence that an operator needs of a failure
//	reason.go      its reasons, and reasons.go what each of them means
//	result.go      Result, Attempt, Hop, Span, and what was seen of resolver, socket, TLS and HTTP
//	experiment.go  follow-up attempts after a failure
//	reset.go       who sent a RST
//	idle.go        what became of an idle connection
//	cut.go         how what others sent is cut before it is stored
//	size.go        what a result costs in memory
package result
