// Package degradation holds what Tallyboard does when parts of it fail to what it promises (docs/architecture.md): what
// people see, and what must hold. Its tests run the system as the drill does, real processes with proxies between them,
// and break one thing after the other. The rows of one engine share a cluster and run in order; each leaves it whole.
package degradation
