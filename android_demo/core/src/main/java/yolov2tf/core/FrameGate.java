package yolov2tf.core;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets one frame at a time through to the network and drops those that come meanwhile.
 *
 * <p>A queue would only make what is on the screen older.
 */
public final class FrameGate {
    private final AtomicBoolean busy = new AtomicBoolean();

    /** Whether this frame may pass; if so, {@link #leave} must follow. */
    public boolean enter() {
        return busy.compareAndSet(false, true);
    }

    /** The frame is done. */
    public void leave() {
        busy.set(false);
    }
}
