package result

// PinError says that no key of the target's certificates is one of the module's pinned_keys.
type PinError struct {
	Key string // the server's own, as pinned_keys has it
}

func (e *PinError) Error() string {
	return "no key of the certificates is in pinned_keys, the server's own is " + e.Key
}
