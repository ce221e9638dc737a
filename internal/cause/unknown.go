package cause

// What is said where no cause is shown: the party, and what would decide.

// parties say where to look where no cause is shown.
var parties = []struct {
	requires facts
	party    Party
}{
	{facts{wordLocal}, Us},
	{facts{wordDNS}, DNS},
	{facts{wordProxyDial}, Proxy},
	{facts{certAsked}, UnknownParty},
	{facts{wireUntaken}, UnknownParty},
	{facts{wordEnds, endsOnItsSide}, Server},
	{facts{wordHelloEnds, endsOnItsSide}, Server},
	{facts{wordStatus, saidDirect}, Server},
	{facts{wordSlowDown}, Server},
	{facts{wordNoStream}, Server},
	{facts{wordMalformed}, Server},
}

const wouldDecide = "`diagnose: {on_failure: true}`, or `probe --diagnose`, makes the experiments that decide " +
	"between the candidates"

// next is what decides between the candidates where no cause is shown. Experiments that were made are not advised
// again, nor where none is made: after a failure of this host other than a missing route.
var next = []struct {
	requires, lacks facts
	says            string
}{
	{facts{wordConnection}, facts{timesTwice, timesSome},
		"probe again: a second failure excludes a transient one"},
	{facts{fails}, facts{experimentsMade, wordLocal}, wouldDecide},
	{facts{wordNoRoute}, facts{experimentsMade}, wouldDecide},
	{facts{endsUncaptured}, facts{}, "CAP_NET_RAW shows who sent the reset"},
	{facts{endsProxied}, facts{}, "the proxy's log shows whether the proxy or the server ended the connection"},
	{facts{appEnds}, facts{appPath}, "CAP_NET_RAW shows who sent the application's resets; " +
		"app_connection_age_seconds and the application's log show what they have in common"},
	{facts{wordOutOfReach}, facts{egressUp, egressElsewhere, closedPortAnswers},
		"`control_targets` show whether anything is reached from here"},
	{facts{wordUnanswered, experimentsMade}, facts{},
		"probe from a second vantage point: silence there, too, is the server's side"},
	{facts{wordRefused, experimentsMade}, facts{}, "ask the API's owner whether the server listens at that port"},
	{facts{wordEnds, experimentsMade}, facts{}, "ask the API's owner for the server's log at that time: a request " +
		"that is not in it was ended before"},
}
