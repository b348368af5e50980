package handoff.camunda7;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where delegates run.
 *
 * @param engine    the name that the host's configuration has for this engine
 * @param url       the host's delegates endpoint, such as http://127.0.0.1:9091
 * @param tokenFile the file with the bearer token; it is read for each call, so that a new token counts at once
 * @param timeout   how long a call may take, with all that is waited for
 */
@ConfigurationProperties("handoff.delegates")
public record DelegatesProperties(
    @DefaultValue("inventory") String engine,
    @DefaultValue("http://127.0.0.1:9091") URI url,
    Path tokenFile,
    @DefaultValue("30s") Duration timeout) {
}
