package claims

import "runtime"

// LiveHeap is the size in bytes of the heap that is in use.
func LiveHeap() int64 {
	runtime.GC()
	runtime.GC() // what cleanups and pools let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
