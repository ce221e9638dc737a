import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

public class Client {
    static final int ATTEMPTS = 4;
    static final long BASE = 100, CAP = 2000; // ms
    static final Set<String> IDEMPOTENT = Set.of("GET", "HEAD", "OPTIONS", "PUT", "DELETE");
    static final Set<Integer> BUSY = Set.of(429, 502, 503, 504);

    static {
        // Seconds: reuse no connection that was idle for longer; below the server's idle timeout. Before the first client.
        System.setProperty("jdk.httpclient.keepalive.timeout", "4");
        System.setProperty("jdk.httpclient.keepalive.timeout.h2", "4"); // JDK 20 and later
    }

    static final HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(3)).build();

    /** The request's own timeout ends with the head of the answer: get bounds its body too. */
    static HttpResponse<String> attempt(HttpRequest request, long left) throws Exception {
        var future = client.sendAsync(request, BodyHandlers.ofString());
        try {
            return future.get(left, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            future.cancel(true); // ends the exchange, and its connection, if it has not completed
        }
    }

    static HttpResponse<String> call(String method, String url, long deadline) throws Exception {
        long end = System.nanoTime() / 1_000_000 + deadline;
        var request = HttpRequest.newBuilder(URI.create(url)).method(method, BodyPublishers.noBody()).build();
        for (int n = 1;; n++) {
            long wait = ThreadLocalRandom.current().nextLong(Math.min(CAP, BASE << n)); // backoff with full jitter
            HttpResponse<String> response = null;
            Exception failure = null;
            try {
                response = attempt(request, Math.max(1, end - System.nanoTime() / 1_000_000));
                if (!BUSY.contains(response.statusCode()) || !IDEMPOTENT.contains(method)) {
                    return response;
                }
                String after = response.headers().firstValue("Retry-After").orElse("");
                wait = Math.max(wait, after.matches("[0-9]{1,6}") ? 1000 * Long.parseLong(after) : 0);
            } catch (IOException | TimeoutException e) {
                boolean unsent = e instanceof ConnectException || e instanceof HttpConnectTimeoutException;
                if (!IDEMPOTENT.contains(method) && !unsent) {
                    throw e; // the server may have processed it
                }
                failure = e;
            }
            if (n == ATTEMPTS || System.nanoTime() / 1_000_000 + wait >= end) {
                if (failure != null) {
                    throw failure;
                }
                return response;
            }
            Thread.sleep(wait);
        }
    }

    public static void main(String[] args) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = lines.readLine()) != null;) { // METHOD URL SECONDS
            String[] word = line.split(" ");
            try {
                System.out.println(call(word[0], word[1], (long) (1000 * Double.parseDouble(word[2]))).statusCode());
            } catch (IOException | TimeoutException e) {
                System.out.println("failed " + e);
            }
        }
        System.exit(0);
    }
}
