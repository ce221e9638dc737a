// Package documents holds the tests of what people read: links and paths lead somewhere, blocks of YAML are accepted by
// the program that they are for, and the glossary's words are used everywhere.
package documents
