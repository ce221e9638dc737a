// Package result has the plain values that a probe leaves behind, and the vocabulary that names its failures. It
// imports nothing of ours: whoever reads results (metrics, records, causes, pages) needs this package and not the
// prober.
//
//	failure.go     the vocabulary: phases, origins, errnos, and the sentence that an operator needs of a failure
//	reason.go      its reasons, and reasons.go what each of them means
//	result.go      Result, Attempt, Hop, Span, and the heads of HTTP
//	dns.go, wire.go, tls.go, upstream.go   what was seen of the resolver, the socket, TLS and a gateway
//	reset.go       who sent a RST
//	own.go         what the exporter itself ends
//	experiment.go  follow-up attempts after a failure
//	idle.go        what became of an idle connection
//	cut.go         how what others sent is cut before it is stored
//	summary.go     what samples and pages of targets need of a result
//	pack.go        a summary as bytes, and fields.go what is in them
//	size.go        what a result costs in memory
package result
