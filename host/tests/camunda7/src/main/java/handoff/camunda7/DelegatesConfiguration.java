package handoff.camunda7;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** One bean for each name that a process model uses in camunda:delegateExpression. */
@Configuration
class DelegatesConfiguration {

    @Bean
    HandoffDelegate completeExternalTask(DelegatesClient client, Attempts attempts) {
        return new HandoffDelegate("completeExternalTask", client, attempts);
    }
}
