package cause

// The causes. Their meaning is in Causes.
const (
	LocalDescriptors    Cause = "local_descriptors"
	LocalPorts          Cause = "local_ports"
	LocalStarved        Cause = "local_starved"
	NoEgress            Cause = "no_egress"
	EgressImpaired      Cause = "egress_impaired"
	Intercepted         Cause = "intercepted"
	DNSBroken           Cause = "dns_broken"
	DNSStale            Cause = "dns_stale"
	ProxyDown           Cause = "proxy_down"
	ProxyPolicy         Cause = "proxy_policy"
	UpstreamFailed      Cause = "upstream_failed"
	RateLimited         Cause = "rate_limited"
	Maintenance         Cause = "maintenance"
	Certificate         Cause = "certificate"
	TLSMismatch         Cause = "tls_mismatch"
	ClientHelloRejected Cause = "client_hello_rejected"
	OneFamilyBroken     Cause = "one_family_broken"
	OneBadAddress       Cause = "one_bad_address"
	PMTUBlackHole       Cause = "pmtu_black_hole"
	H2Only              Cause = "h2_only"
	RequestRejected     Cause = "request_rejected"
	TimeoutTooShort     Cause = "timeout_too_short"
	StalePool           Cause = "stale_pool"
	ConnectionLeak      Cause = "connection_leak"
	PortChurn           Cause = "port_churn"
	ServerIdleTimeout   Cause = "server_idle_timeout"
	PathIdleTimeout     Cause = "path_idle_timeout"
	KeepaliveRace       Cause = "keepalive_race"
	FirewallReject      Cause = "firewall_reject"
	FirewallDrop        Cause = "firewall_drop"
	AcceptQueueFull     Cause = "accept_queue_full"
	ConnectionLimit     Cause = "connection_limit"
	ServerRestarted     Cause = "server_restarted"
	NotListening        Cause = "not_listening"
	ServerOverloaded    Cause = "server_overloaded"
	ServerUnresponsive  Cause = "server_unresponsive"
	ServerAborts        Cause = "server_aborts"
	ServerError         Cause = "server_error"
	ResponseRejected    Cause = "response_rejected"
	PathOutage          Cause = "path_outage"
	Transient           Cause = "transient"
	Unknown             Cause = "unknown"
)

// Info is one row of the list.
type Info struct {
	Cause    Cause
	Party    Party  // unless a row of the table says otherwise
	Sentence string // what it is
	Advice   string // what to do about it, and whom to ask
}

// Causes is the closed list. Of causes that are equally well shown the earlier one is named.
var Causes = []Info{
	{LocalDescriptors, Us, "This process has no file descriptor left.",
		"Raise the limit (ulimit -n, LimitNOFILE) or find the leak: compare errno_exporter_host_descriptors with its " +
			"limit."},
	{LocalPorts, Us, "This host has no local port left towards the destination.",
		"Reuse connections, spread over more destinations, or widen ip_local_port_range; look at " +
			"errno_exporter_host_ephemeral_ports_used_most and TIME_WAIT."},
	{LocalStarved, Us, "The exporter got no CPU time soon enough: its measurements show its own delays.",
		"Raise the container's CPU limit; look at throttling and pressure in errno_exporter_host_*."},
	{NoEgress, Us, "This host has no outbound connectivity: everything beyond it is out of reach.",
		"Look at the host's routes, gateway and egress rules; the APIs are not at fault."},
	{EgressImpaired, Us, "Our own outbound connectivity loses or resets connections to unrelated networks.",
		"Look at conntrack (invalid, insert_failed, table full), SNAT ports and the NAT gateway of this host; the " +
			"APIs are not at fault."},
	{Intercepted, Us, "Something near us answers in place of the server: a sidecar or a transparent proxy.",
		"Look at the service mesh's egress entries and the host's redirect rules."},
	{DNSBroken, DNS, "The name is not resolved, or not to the API.", "Ask the resolver directly (dig @SERVER NAME), " +
		"check the hosts file, the search list and the zone, then ask the owner of the resolver or of the zone."},
	{DNSStale, DNS, "The address in use is outdated: it fails, and an address of a fresh DNS answer works.",
		"Flush or fix the DNS cache that answered, and make clients honour the TTL and reconnect."},
	{ProxyDown, Proxy, "The proxy itself is unreachable or fails.",
		"Ask the proxy's owner whether it runs; check proxy_url."},
	{ProxyPolicy, Proxy, "The proxy refuses the request or the destination.",
		"Ask the proxy's owner to allow the destination, or fix the credentials in proxy_url."},
	{RateLimited, Server, "The API limits our rate.",
		"Honour Retry-After, send less, back off with jitter; ask the API's owner for a higher limit."},
	{Maintenance, Server, "The API reports that it is under maintenance.",
		"Wait as long as it announces; ask the API's owner for the schedule."},
	{UpstreamFailed, Server, "A gateway or proxy answers that its upstream failed.",
		"Ask the gateway's owner why its upstream failed; the evidence has what the gateway states."},
	{Certificate, Server, "The server's certificate is not acceptable.",
		"Renew or complete the chain, or set ca_file to the private CA; check this host's clock and the name."},
	{TLSMismatch, Us, "Client and server cannot agree on a TLS handshake.",
		"Compare what the evidence names (version, ciphers, ALPN, SNI, client certificate, or TLS at all) with what " +
			"the server wants."},
	{ClientHelloRejected, Path, "The ClientHello is refused: by its size, its content, or the name in it.",
		"Ask the owner of the middlebox or server; the evidence names what had to be left out."},
	{OneFamilyBroken, Path, "One IP family works and the other does not.",
		"Set preferred_ip_protocol for now; have the route or the firewall of the broken family fixed."},
	{OneBadAddress, Server, "One of the name's addresses fails and others work.",
		"Tell the API's owner which address fails; clients should try the next address."},
	{PMTUBlackHole, Path, "Large packets are lost, small ones arrive.",
		"Clamp the MSS or lower the MTU (tunnels, VPN), let ICMP fragmentation needed through, or set " +
			"net.ipv4.tcp_mtu_probing=1."},
	{H2Only, Server, "HTTP/2 fails where HTTP/1.1 works.",
		"Set enable_http2: false for now; tell the owner of the server or load balancer."},
	{RequestRejected, Us, "The request itself is refused.",
		"Compare headers, body, credentials, path and size with the API's documentation."},
	{TimeoutTooShort, Us, "The timeout ends the probe while the answer is still coming, or shortly before it would " +
		"arrive.",
		"Give the client a longer timeout, or request less at once."},
	{StalePool, Us, "The application keeps idle connections for longer than the other side does: they end at a steady " +
		"idle age.",
		"Let the application's pool drop idle connections before that age, or send TCP keepalives more often, and " +
			"repeat idempotent requests."},
	{ConnectionLeak, Us, "The application's connections only grow in number: it does not close them.",
		"Close responses and clients in the application, bound its pool, and look at app_connections by state."},
	{PortChurn, Us, "The application opens so many short connections that their local ports run out.",
		"Reuse connections in the application (one client, keep-alive, a larger pool of idle connections)."},
	{ServerIdleTimeout, Server, "The server closes idle connections sooner than the client expects.",
		"Let the client's pool drop idle connections before that age, and repeat idempotent requests."},
	{PathIdleTimeout, Path, "A firewall or NAT on the path forgets idle connections.",
		"Send TCP keepalives more often than that age, or drop idle connections before it; ask the network's owner " +
			"for the timeout."},
	{KeepaliveRace, Server, "The server closed the idle connection just when it was used again.",
		"Keep idle connections for a shorter time than the server does, and repeat idempotent requests."},
	{FirewallReject, Path, "Something in front of the server refuses or resets in its place: a host, a load " +
		"balancer, a firewall, or a rule of this host.", "Ask the network's owner about the rule; the record names " +
		"the router, or how many hops away the reset came from."},
	{ConnectionLimit, Server, "Established connections are served while new ones are refused: a limit on connections.",
		"Use fewer connections or reuse them; ask the API's owner for the limit."},
	{AcceptQueueFull, Server, "The server's queue of new connections is full.",
		"Ask the API's owner about the listen backlog, maxconn, and how fast the application accepts."},
	{ServerRestarted, Server, "The server is restarting or down.",
		"Wait and repeat with backoff; ask the API's owner about the deployment."},
	{NotListening, UnknownParty, "Nothing listens at the port.",
		"Check the port and the protocol; ask the API's owner whether the service runs."},
	{ServerOverloaded, Server, "The server is too slow or sheds load.",
		"Back off; ask the API's owner. The processing times before the failures show when it began."},
	{FirewallDrop, UnknownParty, "Nothing answers our packets there, while other destinations work: a firewall, or a " +
		"rule of this host, drops them, or the host is gone.",
		"Ask the API's owner whether it is up and lets this address in, and the network's owner about the rule; the " +
			"evidence says if it is one of this host."},
	{PathOutage, Path, "The path to the API is interrupted.",
		"Look at other destinations in that direction; ask the network's owner. The record names the last router " +
			"that answered."},
	{ServerUnresponsive, Server, "The server accepts connections and acknowledges what we send, and does not answer.",
		"Ask the API's owner what the application waits for at the times in the evidence."},
	{ServerAborts, Server, "The server ends connections without a complete answer.",
		"Ask the API's owner for the server's log at the times in the evidence: a crash on each request, or a rule " +
			"that aborts on purpose."},
	{ServerError, Server, "The server answers with an error of its own.",
		"Give the API's owner the time and the record of the probe."},
	{ResponseRejected, UnknownParty, "The API answers, and the module's rules reject the response.",
		"Compare the rules (status codes, fail_if_*) with what the API answers now: either may be wrong."},
	{Transient, UnknownParty, "A single attempt failed among many that succeeded.",
		"Repeat idempotent requests; look for a pattern in the alerts before looking further."},
	{Unknown, UnknownParty, "The evidence shows no cause.", "Read the candidates and what would decide between them."},
}
