package record

import (
	"encoding/json"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// A captured RST in JSON: what is not known is absent, and what is zero is there.
func TestResetOf(t *testing.T) {
	for _, row := range []struct {
		name  string
		reset *result.Reset
		want  string
	}{
		{"none", nil, "null"},
		{"over IPv4", &result.Reset{Sender: result.Middlebox, TTL: 63, Reference: 62, RST: &result.RST{
			At: 41200 * time.Microsecond, AfterWrite: 300 * time.Microsecond, AfterSYNACK: 20 * time.Millisecond,
			Sequence: result.SequenceExact, Acked: -1, IPv4: true, DF: true, Index: 1, Count: 3, Payload: "<no>"}},
			`{"sender":"middlebox","ttl":63,"syn_ack_ttl":62,"kind":"RST","sequence":"exact","window":0,"ip_id":0,` +
				`"ip_df":true,"index":1,"count":3,"at_seconds":0.0412,"after_syn_ack_seconds":0.02,` +
				`"after_write_seconds":0.0003,"payload":"\u003cno\u003e","sentence":"from a middlebox, 1 hop nearer than ` +
				`the server (TTL 63, the server's 62), the sender had no state for the connection","line":"RST at 41.2 ms, ` +
				`0.3 ms after our last write, 20.0 ms after the SYN-ACK: sequence exact, window 0, IP ID 0, DF, ` +
				`TTL 63 (SYN-ACK: 62), 1 of 3, payload \"\u003cno\u003e\""}`},
		{"over IPv6", &result.Reset{Sender: result.ThisHost, TTL: 64, RST: &result.RST{ACK: true, Acked: 0, Window: 64,
			Index: 1, Count: 1}},
			`{"sender":"this_host","ttl":64,"kind":"RST-ACK","acknowledged_bytes":0,"window":64,"index":1,"count":1,` +
				`"sentence":"from this host itself (TTL 64)","line":"RST-ACK: acknowledges 0 bytes, window 64, ` +
				`hop limit 64, 1 of 1"}`},
	} {
		if got, err := json.Marshal(ResetOf(row.reset)); string(got) != row.want || err != nil {
			t.Errorf("%s: %s, %v\nwant %s", row.name, got, err, row.want)
		}
	}
}
