package dnscache

import "fmt"

// zoneServer is the name of the server where a zone answers in its place.
const zoneServer = "zone file"

// fromZone answers q from the zone, by the same way as if it came from a server.
func (r *Resolver) fromZone(q question) *entry {
	e, err := r.askZone(q)
	if err != nil {
		return failed(q, zoneServer, err)
	}
	e.server = zoneServer
	return e
}

func (r *Resolver) askZone(q question) (*entry, error) {
	packet, err := r.zone.Reply(newQuery(q, false)).Pack()
	if err != nil {
		return nil, fmt.Errorf("the zone has what no message can carry: %w", err)
	}
	reply, err := parse(packet)
	if err != nil {
		return nil, err
	}
	return read(reply, q)
}
