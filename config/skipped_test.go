package config

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOtherProbers: a module of another prober is skipped with one warning, whatever its keys are.
func TestOtherProbers(t *testing.T) {
	const text = `
modules:
  api: {prober: http, http: {body: &p tcp}}
  ping:
    prober: icmp
    icmp: {dont_fragment: true}
  connect: {prober: *p, tcp: {query_response: [{expect: x}]}}
  name:
    dns: {query_name: example.com}
    prober: "dns"
  call: {prober: grpc, grpc: {service: s}}
  socket: {prober: unix}
  stream: {prober: websocket, websocket: {new_key: 1}}
`
	c, err := Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		Served            []string
		Skipped           map[string]string
		Warnings, Differs []string
	}
	got := outcome{slices.Sorted(maps.Keys(c.Modules)), c.Skipped, c.Warnings, c.Differences}
	want := outcome{
		Served: []string{"api"},
		Skipped: map[string]string{"ping": "icmp", "connect": "tcp", "name": "dns", "call": "grpc", "socket": "unix",
			"stream": "websocket"},
		Warnings: []string{
			`f.yml:5: module "ping": is skipped: prober "icmp" is not served here`,
			`f.yml:7: module "connect": is skipped: prober "tcp" is not served here`,
			`f.yml:10: module "name": is skipped: prober "dns" is not served here`,
			`f.yml:11: module "call": is skipped: prober "grpc" is not served here`,
			`f.yml:12: module "socket": is skipped: prober "unix" is not served here`,
			`f.yml:13: module "stream": is skipped: prober "websocket" is not served here`,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}
