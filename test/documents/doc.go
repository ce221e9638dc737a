// Package documents holds the tests of what people read: links and paths lead somewhere, and the glossary's words are
// used everywhere.
package documents
