package io.reactiverouter.demo;

import io.swagger.v3.oas.annotations.Hidden;
import java.net.URI;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Leads a browser to the console, which links to the OpenAPI page; to the latter where there is no console. */
@Hidden
@RestController
class HomeController {

    private final URI home;

    HomeController(@Value("${demo.console.enabled:true}") boolean console) {
        this.home = URI.create(console ? "/console/" : "/swagger-ui.html");
    }

    @GetMapping("/")
    ResponseEntity<Void> home() {
        return ResponseEntity.status(HttpStatus.FOUND).location(home).build();
    }
}
