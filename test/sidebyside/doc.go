// Package sidebyside has no code: its tests run Debian's blackbox_exporter and ours by the same configuration against
// the same servers, and compare what they expose and what the servers saw.
package sidebyside
