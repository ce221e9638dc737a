package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Several exporters may have one configuration and divide its targets: each is a shard.
//
//   - A target belongs to exactly one shard, by its name alone: other targets that come or go do not move it.
//   - With one shard more, only the targets move that belong to the new one (jump consistent hashing: Lamping and
//     Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014; kube-state-metrics divides objects with it).

// maxShards bounds how many exporters divide the targets.
const maxShards = 1000

// Shard is one of Count exporters, from 0 on. The zero Shard has every target.
type Shard struct{ Index, Count int }

// ParseShard reads I/N: shard I of N.
func ParseShard(text string) (Shard, error) {
	index, count, _ := strings.Cut(text, "/")
	i, bad := strconv.Atoi(index)
	n, alsoBad := strconv.Atoi(count)
	s := Shard{i, n}
	if bad != nil || alsoBad != nil || n < 1 || n > maxShards || i < 0 || i >= n || s.String() != text {
		return Shard{}, fmt.Errorf("%q is not a shard, want I/N with N from 1 to %d and I from 0 to N-1, such as 0/3",
			text, maxShards)
	}
	return s, nil
}

// String is the shard as ParseShard reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Divides reports whether there are other shards.
func (s Shard) Divides() bool { return s.Count > 1 }

// has reports whether a target belongs to the shard.
func (s Shard) has(target string) bool {
	if !s.Divides() {
		return true
	}
	sum := sha256.Sum256([]byte(target))
	return jump(binary.BigEndian.Uint64(sum[:]), s.Count) == s.Index
}

// jump is the bucket of a key: figure 1 of the paper.
func jump(key uint64, buckets int) int {
	bucket, next := int64(-1), int64(0)
	for next < int64(buckets) {
		bucket = next
		key = key*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(bucket)
}

// InShard returns the configuration of one shard: the targets that belong to others are in OtherTargets.
func (c *Config) InShard(s Shard) *Config {
	part := *c
	part.Shard, part.Targets, part.OtherTargets = s, nil, nil
	for _, t := range c.Targets {
		if s.has(t.Name) {
			part.Targets = append(part.Targets, t)
		} else {
			part.OtherTargets = append(part.OtherTargets, t)
		}
	}
	return &part
}
