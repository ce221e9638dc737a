package incidents

import (
	"syscall"

	"errno_exporter/internal/faultlab/netlab"
)

// catalina is the program of Debian's package. It becomes the JVM.
const catalina = "/usr/share/tomcat10/bin/catalina.sh"

// page does what its port's file says; one file per port.
const page = `<%@ page session="false" import="java.nio.file.*" %><%
Path flag = Path.of("DIR/flag/tomcat" + request.getLocalPort());
String fault = Files.exists(flag) ? Files.readString(flag) : "";
switch (fault) {
case "slow": Thread.sleep(400); break;
case "sleep": Thread.sleep(60000); break;
case "raise": throw new RuntimeException("bug");
case "gone": response.sendError(404); return;
case "cut":
  response.setContentLength(5000);
  response.getOutputStream().write(new byte[2000]);
  response.flushBuffer();
  throw new RuntimeException("bug");
}
%>ok`

// descriptor maps all paths to the page, which is compiled before a port is open.
const descriptor = `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
<servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
<init-param><param-name>development</param-name><param-value>false</param-value></init-param></servlet>
<servlet><servlet-name>page</servlet-name><jsp-file>/page.jsp</jsp-file><load-on-startup>1</load-on-startup></servlet>
<servlet-mapping><servlet-name>page</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>`

// tomcatConnectors are the ports of the shared server, with what limits them.
var tomcatConnectors = map[string]string{
	"8751": "",
	"8752": "",
	"8753": "",
	"8754": "",
	"8755": "maxThreads='1' minSpareThreads='1'",
	"8756": "maxConnections='1' connectionTimeout='600000'",
	"8757": "",
	"8759": "maxHttpHeaderSize='65536'",
	"8758": "keepAliveTimeout='1000'",
}

// startTomcat starts the servers and does not wait for them: a JVM needs seconds.
func startTomcat(s *site) {
	s.write("ROOT/page.jsp", page)
	s.write("ROOT/WEB-INF/web.xml", descriptor)
	s.startTomcatWith("tomcat", tomcatConnectors)
	for _, port := range []string{"8761", "8762", "8763"} {
		s.own(port, s.startTomcatWith("tomcat"+port, map[string]string{port: ""}))
	}
}

// startTomcatWith starts a Tomcat with one webapp at several ports.
func (s *site) startTomcatWith(name string, connectors map[string]string) *process {
	config := "<Server port='-1'><Service name='Catalina'>\n"
	for port, limits := range connectors {
		config += "<Connector port='" + port + "' " + limits + "/>\n"
		s.starting = append(s.starting, port)
	}
	s.write(name+"/conf/server.xml", config+"<Engine name='Catalina' defaultHost='lab.test'>\n"+
		"<Host name='lab.test' autoDeploy='false' deployOnStartup='false'><Context path='' docBase='DIR/ROOT'>\n"+
		"<JarScanner scanClassPath='false' scanBootstrapClassPath='false'/></Context></Host></Engine></Service></Server>")
	s.write(name+"/conf/web.xml", "<web-app/>")
	s.write(name+"/temp/empty", "")
	return s.start(netlab.S, "env", "CATALINA_HOME=/usr/share/tomcat10", "CATALINA_BASE="+s.path(name),
		"JAVA_OPTS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m", catalina, "run")
}

func ofTomcat() []incident {
	becomes := func(port, fault string) func(*site) {
		return func(s *site) { s.write("flag/tomcat"+port, fault) }
	}
	at := func(port, name, labels, right string, happen func(*site)) incident {
		return incident{name: "tomcat10: " + name, needs: "tomcat10", url: "http://ADDRESS:" + port + "/",
			labels: labels, party: "server", right: right, happen: happen}
	}
	status, hangs := "validate http.error - -", "processing http.response.timed_out - self"
	refused := "connect tcp.refused ECONNREFUSED peer"
	cut := at("8754", "an exception after half of the body",
		"transfer tcp.closed - peer|transfer tcp.reset ECONNRESET peer", "server_aborts|server_error",
		becomes("8754", "cut"))
	cut.often = 10
	long := at("8757", "400, a header longer than maxHttpHeaderSize", status, "request_rejected", nil)
	long.module, long.party, long.was = "long", "us|server", "8759"
	return []incident{
		at("8751", "healthy, answers in 400 ms", "", "", becomes("8751", "slow")),
		at("8752", "404", status, "request_rejected|server_error", becomes("8752", "gone")),
		at("8753", "an exception: 500", status, "server_error", becomes("8753", "raise")),
		cut,
		at("8755", "its only thread is busy", hangs, "server_unresponsive", becomes("8755", "sleep")),
		at("8756", "maxConnections is reached", hangs, "server_unresponsive|connection_limit",
			func(s *site) { s.occupy("8756") }),
		long,
		at("8761", "stopped by SIGSTOP", hangs, "server_unresponsive",
			func(s *site) { s.owned("8761").signal(syscall.SIGSTOP) }),
		at("8762", "killed", refused, "server_restarted|not_listening", func(s *site) { s.owned("8762").kill() }),
		at("8763", "shut down by SIGTERM", refused, "server_restarted|not_listening", func(s *site) {
			s.master("8763", syscall.SIGTERM)
			<-s.owned("8763").ended
		}),
	}
}
