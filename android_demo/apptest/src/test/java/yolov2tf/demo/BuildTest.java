package yolov2tf.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.concurrent.TimeUnit;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** A build that fails says why, and leaves the APK of the last one. */
public class BuildTest {
    private static final Path DEMO = Paths.get(System.getProperty("demo"));
    private static final Path APK = DEMO.resolve("build/yolov2-demo.apk");

    private boolean ours;
    private byte[] before;

    @Before
    public void lastBuild() throws Exception {
        ours = !Files.exists(APK);
        if (ours) {
            Files.write(APK, "the last build".getBytes(StandardCharsets.UTF_8));
        }
        before = Files.readAllBytes(APK);
    }

    @After
    public void tidyUp() throws Exception {
        if (ours) {
            Files.delete(APK);
        }
    }

    @Test
    public void aModelThatIsNone() throws Exception {
        Path model = Files.createTempFile("model", ".tflite");
        Files.write(model, new byte[100]);
        String said = build(System.getenv("PATH"), model.toString());
        assertTrue(said, said.contains("says nothing about itself"));
        assertArrayEquals(before, Files.readAllBytes(APK));
    }

    @Test
    public void aStepThatFailsLate() throws Exception {
        Path folder = Files.createTempDirectory("tools");
        Path maven = folder.resolve("mvn"); // stands before the real one
        Files.write(maven, "#!/bin/sh\nexit 1\n".getBytes(StandardCharsets.UTF_8));
        assertTrue(maven.toFile().setExecutable(true));
        String said = build(folder + File.pathSeparator + System.getenv("PATH"));
        assertTrue(said, said.contains("Maven Central did not give the libraries"));
        assertArrayEquals(before, Files.readAllBytes(APK));
    }

    /** Runs the build, which must end with 2; returns what it said. */
    private static String build(String path, String... models) throws Exception {
        String[] command = new String[models.length + 1];
        command[0] = DEMO.resolve("build_apk.sh").toString();
        System.arraycopy(models, 0, command, 1, models.length);
        Path said = Files.createTempFile("build", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().put("PATH", path);
        Process process = builder.start();
        assertTrue(process.waitFor(5, TimeUnit.MINUTES));
        String words = new String(Files.readAllBytes(said), StandardCharsets.UTF_8);
        assertEquals(words, 2, process.exitValue());
        return words;
    }
}
