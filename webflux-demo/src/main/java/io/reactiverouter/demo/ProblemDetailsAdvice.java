package io.reactiverouter.demo;

import io.r2dbc.spi.R2dbcException;
import io.reactiverouter.scatter.InvalidCursorException;
import io.reactiverouter.strategy.UnroutableKeyException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.TypeMismatchException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.validation.FieldError;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.bind.support.WebExchangeBindException;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.reactive.result.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.ServerWebInputException;
import reactor.core.publisher.Mono;
import tools.jackson.databind.exc.MismatchedInputException;

/**
 * Errors as problem details (RFC 9457). Bad input names each field and its rule; a database that does not answer is 503
 * and names the shard. Neither shows SQL, addresses or a stack trace.
 */
@RestControllerAdvice
class ProblemDetailsAdvice extends ResponseEntityExceptionHandler {

    private record Violation(String field, String rule) {}

    @Override
    protected Mono<ResponseEntity<Object>> handleWebExchangeBindException(
            WebExchangeBindException error, HttpHeaders headers, HttpStatusCode status, ServerWebExchange exchange) {
        return invalid(error.getFieldErrors().stream()
                .map(ProblemDetailsAdvice::violation)
                .toList());
    }

    @Override
    protected Mono<ResponseEntity<Object>> handleHandlerMethodValidationException(
            HandlerMethodValidationException error,
            HttpHeaders headers,
            HttpStatusCode status,
            ServerWebExchange exchange) {
        return invalid(error.getParameterValidationResults().stream()
                .flatMap(result -> result.getResolvableErrors().stream()
                        .map(each -> new Violation(
                                String.valueOf(result.getMethodParameter().getParameterName()),
                                String.valueOf(each.getDefaultMessage()))))
                .toList());
    }

    @Override
    protected Mono<ResponseEntity<Object>> handleServerWebInputException(
            ServerWebInputException error, HttpHeaders headers, HttpStatusCode status, ServerWebExchange exchange) {
        if (error.getCause() instanceof TypeMismatchException mismatch) {
            String name = error.getMethodParameter() == null
                    ? "parameter"
                    : String.valueOf(error.getMethodParameter().getParameterName());
            return invalid(List.of(violation(name, mismatch.getRequiredType())));
        }
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof MismatchedInputException mismatch
                    && !mismatch.getPath().isEmpty()) {
                return invalid(List.of(violation(
                        String.valueOf(mismatch.getPath().get(0).getPropertyName()), mismatch.getTargetType())));
            }
        }
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, "the body is missing or not valid JSON");
        problem.setTitle("Unreadable request");
        return respond(problem);
    }

    @ExceptionHandler
    Mono<ResponseEntity<Object>> unroutable(UnroutableKeyException error) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, error.getMessage());
        problem.setTitle("Key without a shard");
        return respond(problem);
    }

    @ExceptionHandler
    Mono<ResponseEntity<Object>> cursor(InvalidCursorException error) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.BAD_REQUEST, error.getMessage());
        problem.setTitle("Invalid cursor");
        return respond(problem);
    }

    @ExceptionHandler
    Mono<ResponseEntity<Object>> database(R2dbcException error) {
        return respond(DatabaseProblem.of(error));
    }

    private static Violation violation(FieldError error) {
        return error.isBindingFailure()
                ? violation(
                        error.getField(),
                        error.unwrap(TypeMismatchException.class).getRequiredType())
                : new Violation(error.getField(), String.valueOf(error.getDefaultMessage()));
    }

    /** Says what a value of the wrong type should have been, without the names of Java's types. */
    private static Violation violation(String field, @Nullable Class<?> type) {
        String rule = "has a value that cannot be read";
        if (type != null && type.isEnum()) {
            rule = "must be one of " + Arrays.toString(type.getEnumConstants());
        } else if (type != null && (type.isPrimitive() || Number.class.isAssignableFrom(type))) {
            rule = "must be a number";
        }
        return new Violation(field, rule);
    }

    private static Mono<ResponseEntity<Object>> invalid(List<Violation> violations) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(
                HttpStatus.BAD_REQUEST,
                String.join(
                        "; ",
                        violations.stream()
                                .map(violation -> violation.field() + " " + violation.rule())
                                .sorted()
                                .toList()));
        problem.setTitle("Invalid request");
        problem.setProperty("errors", violations);
        return respond(problem);
    }

    /** Names the type, since a client that accepts only events would be sent an event. */
    @Override
    protected Mono<ResponseEntity<Object>> createResponseEntity(
            @Nullable Object body, @Nullable HttpHeaders headers, HttpStatusCode status, ServerWebExchange exchange) {
        HttpHeaders typed = new HttpHeaders();
        if (headers != null) {
            typed.putAll(headers);
        }
        if (body instanceof ProblemDetail) {
            typed.setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        }
        return super.createResponseEntity(body, typed, status, exchange);
    }

    private static Mono<ResponseEntity<Object>> respond(ProblemDetail problem) {
        return Mono.just(ResponseEntity.status(problem.getStatus())
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem));
    }
}
