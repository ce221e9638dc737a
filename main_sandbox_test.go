package main

// deniedVariable names the family of sockets that the exporter of a script is denied: netlink; without it, none.
const deniedVariable = "ERRNO_EXPORTER_DENIED"
