using System.Net.Sockets;

// One client for the whole program: it owns the pool.
var handler = new SocketsHttpHandler
{
    PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4), // below the server's idle timeout
    PooledConnectionLifetime = TimeSpan.FromMinutes(5),    // DNS is asked again
    MaxConnectionsPerServer = 10,
    ConnectCallback = async (context, cancel) =>
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    },
    ConnectTimeout = TimeSpan.FromSeconds(3),
};
var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan }; // each call has its own deadline

string[] idempotent = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];
int[] busy = [429, 502, 503, 504];

async Task<HttpResponseMessage> Call(string method, string url, TimeSpan deadline)
{
    using var source = new CancellationTokenSource(deadline); // bounds connecting, waiting and the body
    var began = DateTime.UtcNow;
    for (var n = 1; ; n++)
    {
        // Backoff with full jitter.
        var wait = TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * Math.Min(2000, 100 << n));
        HttpResponseMessage? response = null;
        try
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), url);
            response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, source.Token);
            if (!busy.Contains((int)response.StatusCode) || !idempotent.Contains(method)) return response;
            if (response.Headers.RetryAfter?.Delta is { } after && after > wait) wait = after;
        }
        catch (HttpRequestException e)
        {
            var unsent = e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError;
            if (!idempotent.Contains(method) && !unsent) throw; // the server may have processed it
            if (n == 4 || DateTime.UtcNow - began + wait >= deadline) throw;
        }
        if (response != null && (n == 4 || DateTime.UtcNow - began + wait >= deadline)) return response;
        response?.Dispose();
        await Task.Delay(wait, source.Token);
    }
}

while (Console.ReadLine() is { } line) // METHOD URL SECONDS
{
    var word = line.Split(' ');
    try
    {
        Console.WriteLine((int)(await Call(word[0], word[1], TimeSpan.FromSeconds(double.Parse(word[2])))).StatusCode);
    }
    catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
    {
        Console.WriteLine($"failed {e.Message}");
    }
}
