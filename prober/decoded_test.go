package prober

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
)

// The estimate of what a document takes is no less than half of what it does take, and not more than a few times that.
func TestDecodedSize(t *testing.T) {
	for _, row := range []struct{ name, text string }{
		{"numbers", "[0" + strings.Repeat(",0", 300_000) + "]"},
		{"empty arrays", "[[]" + strings.Repeat(",[]", 200_000) + "]"},
		{"nested arrays", "[0" + strings.Repeat(","+strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000), 20) + "]"},
		{"empty objects", "[{}" + strings.Repeat(",{}", 200_000) + "]"},
		{"objects of one key", "[0" + strings.Repeat(`,{"":0}`, 100_000) + "]"},
		{"records", "[0" + strings.Repeat(`,{"id":1,"name":"abc","ok":true}`, 50_000) + "]"},
		{"long strings", `["` + strings.Repeat(strings.Repeat(`a\"{[`, 1000)+`","`, 1000) + `"]`},
		{"escaped runes", `["` + strings.Repeat(`\u00e4`, 1_000_000) + `"]`},
	} {
		const elsewhere = 4 << 20 // other goroutines of the test allocate, too
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var document any
		if err := json.Unmarshal([]byte(row.text), &document); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		takes, estimated := int64(after.HeapAlloc)-int64(before.HeapAlloc), decodedSize([]byte(row.text))
		runtime.KeepAlive(document)
		t.Logf("%s: %d bytes take %d, estimated %d", row.name, len(row.text), takes, estimated)
		if takes > 2*estimated+elsewhere {
			t.Errorf("%s: %d bytes take %d, estimated %d", row.name, len(row.text), takes, estimated)
		}
	}
}
