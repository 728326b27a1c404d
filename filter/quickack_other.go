//go:build !linux

package filter

import "net"

// quickAck does nothing where TCP_QUICKACK is unknown.
type quickAck struct{}

func newQuickAck(net.Conn) quickAck { return quickAck{} }

func (quickAck) again() {}
