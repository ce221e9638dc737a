package module

import "testing"

func TestParsePin(t *testing.T) {
	const good = "sha256//MK2UEjMMTmfg67DNRkVLX9nG5mrTVqLFXV6sfIsqnbQ="
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"a pin", good, true},
		{"no prefix", good[8:], false},
		{"HPKP's header", `pin-sha256="` + good[8:] + `"`, false},
		{"another hash", "sha1//MK2UEjMMTmfg67DNRkVLX9nG5mo=", false},
		{"too short", "sha256//MK2UEjMMTmfg67DNRkVLX9nG5mo=", false},
		{"hexadecimal", "sha256//30ad9412330c4e67e0ebb0cd46454b5fd9c6e66ad356a2c55d5eac7c8b2a9db4", false},
		{"no padding", good[:len(good)-1], false},
		{"two", good + ";" + good, false},
		{"nothing", "", false},
	} {
		got, err := ParsePin(row.text)
		if (err == nil) != row.ok || row.ok && got.String() != row.text {
			t.Errorf("%s: ParsePin(%q) = %s, %v, want it read: %t", row.name, row.text, got, err, row.ok)
		}
	}
}
