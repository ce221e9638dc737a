package cause

import (
	"strings"

	"errno_exporter/prober/result"
)

// hellos are situations in which other ClientHellos tell what is refused in ours.
func hellos() []situation {
	const found = "client_hello_rejected path high; not transient"
	const nothing = "unknown unknown low; not client_hello_rejected transient"
	var rows []situation
	for _, row := range []struct{ name, made, want string }{
		{"its length",
			"without_ml_kem+ again- padded- small_split+ without_ml_kem+ again-", found},
		{"its length, whatever the segments",
			"without_ml_kem+ again- padded- without_ml_kem+ again-", found},
		{"its segments",
			"without_ml_kem+ again- padded- small_split- without_ml_kem+ again-", found},
		{"its key share",
			"without_ml_kem+ again- padded+ other_ciphers- without_ml_kem+ again-", found},
		{"its fingerprint",
			"without_ml_kem+ again- padded+ other_ciphers+ without_ml_kem+ again-", found},
		{"its cipher suites",
			"without_ml_kem- other_name- plain+ again- tls12+ other_ciphers+ tls12+ again-", found},
		{"its version",
			"without_ml_kem- other_name- plain+ again- tls12+ other_ciphers- tls12+ again-", found},
		{"ALPN",
			"without_ml_kem- other_name- plain+ again- tls12- no_alpn+ no_alpn+ again-", found},
		{"the version or ALPN",
			"without_ml_kem- other_name- plain+ again- tls12- no_alpn- plain+ again-", found},
		{"the name",
			"without_ml_kem- other_name+ again- split- other_name+ again-", found},
		{"the name in one segment",
			"without_ml_kem- other_name+ again- split+ other_name+ again-", found},
		{"any name",
			"without_ml_kem- other_name- plain- no_name+ again- no_name+ again-", found},
		{"something in one segment",
			"without_ml_kem- other_name- plain- no_name- split+ again- split+ again-", found},
		{"nothing of it",
			"without_ml_kem- other_name- plain- no_name- split-", nothing},
		{"a change works once of thrice",
			"no_name+ again- no_name- no_name-", nothing},
		{"the round ended before the second time",
			"without_ml_kem+ again- padded-", "client_hello_rejected path medium; not transient"},
		{"the original works at last", "without_ml_kem+ again- padded- without_ml_kem+ again+",
			"unknown unknown low; not client_hello_rejected; open [transient]"},
	} {
		words := strings.Fields(row.made)
		for i, w := range words {
			if !strings.HasPrefix(w, "again") {
				words[i] = "hello_" + w
			}
		}
		rows = append(rows, situation{"a hello is reset: " + row.name,
			after(n(2, hello)).made("again- " + strings.Join(words, " ")), row.want})
	}
	gone := failed(result.TLS, result.TCPAborted, result.Self)
	const small = "again- small_segments+ again- small_segments+ again- "
	return append(rows,
		situation{"large packets vanish: the whole hello works in small segments, and a shorter one",
			after(n(2, gone)).made(small + "hello_without_ml_kem+ again- hello_padded- hello_small_split+ " +
				"hello_without_ml_kem+ again-"),
			"pmtu_black_hole path high; not client_hello_rejected transient"},
		situation{"large answers vanish: the whole hello works in small segments, and TLS 1.2, whose answer is shorter",
			after(n(2, gone)).made(small + "hello_without_ml_kem- hello_other_name- hello_tls12+ again- hello_tls12+ again-"),
			"pmtu_black_hole path high; not client_hello_rejected transient"},
		situation{"a hello vanishes for its name, which small segments hide",
			after(n(2, gone)).made(small + "hello_without_ml_kem- hello_other_name+ again- hello_split+ " +
				"hello_other_name+ again-"),
			"client_hello_rejected path high; not transient"},
		situation{"a hello vanishes for its key share, which small segments hide",
			after(n(2, gone)).made(small + "hello_without_ml_kem+ again- hello_padded+ hello_other_ciphers- " +
				"hello_without_ml_kem+ again-"),
			"client_hello_rejected path high; not transient"})
}
