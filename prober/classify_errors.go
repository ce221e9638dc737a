package prober

// Errors of our own that classification knows by their types.

// TooLarge is the error of a head that exceeds a bound of ours.
type TooLarge string

func (e TooLarge) Error() string { return string(e) }

// UnusableAnswer is the error of a name server's answer that cannot be used: it does not parse, or answers another question.
type UnusableAnswer string

func (e UnusableAnswer) Error() string { return string(e) }
