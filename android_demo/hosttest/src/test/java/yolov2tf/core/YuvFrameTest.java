package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class YuvFrameTest {
    @Test
    void allColoursAreThoseOfTheFormula() {
        for (int u = 0; u < 256; u++) {
            for (int v = 0; v < 256; v++) {
                for (int y = 0; y < 256; y++) {
                    double blue = u - 128;
                    double red = v - 128;
                    near(y + 1.402 * red, YuvColor.red(y, v));
                    near(y - 0.344136 * blue - 0.714136 * red, YuvColor.green(y, u, v));
                    near(y + 1.772 * blue, YuvColor.blue(y, u));
                }
            }
        }
    }

    private static void near(double expected, float value) {
        double clamped = Math.max(0, Math.min(expected, 255));
        if (!(Math.abs(clamped - value) < 0.505)) { // rounded to the nearest
            assertEquals(clamped, value);
        }
    }

    @Test
    void refusesPlanesThatAreTooShort() {
        YuvFrame frame = new YuvFrame();
        ByteBuffer luma = ByteBuffer.allocate(16);
        ByteBuffer chroma = ByteBuffer.allocate(3);
        assertThrows(IllegalArgumentException.class,
                () -> frame.set(4, 4, 0, luma, 4, chroma, chroma, 2, 1));
    }

    @Test
    void refusesOddTurns() {
        ByteBuffer plane = ByteBuffer.allocate(16);
        Exception error = assertThrows(IllegalArgumentException.class,
                () -> new YuvFrame().set(4, 4, 45, plane, 4, plane, plane, 2, 1));
        assertTrue(error.getMessage().contains("45"));
    }
}
