// Package provision sets a deployment up, in two steps that each may run again at any time.
//
// Secrets makes what must be secret (passwords, NATS identities, certificates) and hands each consumer its own, in a
// folder of its own. Apply makes the database, its users with the least rights they need, the schema, the stream and its
// consumers; it is the only one that holds an administrator's identity.
package provision
