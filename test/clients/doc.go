// Package clients holds the tests of the client programs that docs/clients.md shows: each is run against faulty
// servers.
package clients
